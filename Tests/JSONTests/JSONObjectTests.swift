import Testing

@testable import Common
@testable import JSON

@Suite struct JSONObjectTests {
    static let accepted: [String] = [
        "{}", " \t\r\n{ } \n", #"{"a":1}"#, #"{ "a" : [ ] , "b" : { } }"#, #"{"":""}"#,
        #"{"a":-0,"b":0.5,"c":1e9,"d":-1.25E-10,"e":1E+2,"f":123456789012345678901234567890}"#,
        #"{"a":true,"b":false,"c":null,"d":"x","e":[1,[2,[3]]],"f":{"g":{"g":1}}}"#,
        #"{"escapes":"\"\\\/\b\f\n\r\t\u0000\uFFFF\ud83d\ude00"}"#, "{\"text\":\"é漢😀\u{7F}\u{2028}\"}",
        // Half of a pair in a value is sound by the grammar: the bytes pass on as they are.
        #"{"a":"\ud800"}"#,
        // A nested object's names are the provider's business.
        #"{"a":{"b":1,"b":2}}"#,
        // Not the same bytes, so not the same name, although Swift's String says that they are equal.
        "{\"\u{E9}\":1,\"e\u{301}\":2}",
    ]

    @Test(arguments: accepted) func `accepts what the grammar allows`(text: String) throws {
        let object = try JSONObject.scan(Array(text.utf8), maximumDepth: 8)
        #expect(object.range == 0..<text.utf8.count)
        #expect(
            object.bytes[object.braces.lowerBound] == UInt8(ascii: "{")
                && object.bytes[object.braces.upperBound - 1] == UInt8(ascii: "}"))
    }

    static let malformed: [(text: String, offset: Int)] = [
        ("{", 1), ("}", 0), ("{]", 1), ("{\"a\"}", 4), (#"{"a":}"#, 5), (#"{"a":1,}"#, 7), ("{,}", 1),
        (#"{"a":1 "b":2}"#, 7), ("{a:1}", 1),
        ("{'a':1}", 1), (#"{"a":[1,]}"#, 8), (#"{"a":[1}"#, 7), (#"{"a":{"b":1]}"#, 11), (#"{"a":1}}"#, 7),
        (#"{"a":1} x"#, 8), (#"{"a":1"#, 6),
        (#"{"a":tru}"#, 5), (#"{"a":True}"#, 5), (#"{"a":NaN}"#, 5), (#"{"a":nul"#, 5), (#"{"a":01}"#, 6),
        (#"{"a":-}"#, 6), (#"{"a":+1}"#, 5),
        (#"{"a":1.}"#, 7), (#"{"a":.5}"#, 5), (#"{"a":1e}"#, 7), (#"{"a":1e+}"#, 8), (#"{"a":0x1}"#, 6),
        (#"{"a":"\x"}"#, 6), (#"{"a":"\u12G4"}"#, 6),
        (#"{"a":"\u12"#, 6), (#"{"a":"\"#, 6), (#"{"a":"b}"#, 5), ("{\"a\":\"b\nc\"}", 7), ("{\"a\":\"\u{0}\"}", 6),
        ("{\"a\":\"12345678\u{1F}\"}", 14), ("{\u{A0}}", 1), ("{\u{C}}", 1),
        ("{/* no */}", 1), ("nonsense", 0), (#"["a""#, 4), ("{}\u{0}", 2),
    ]

    @Test(arguments: malformed) func `refuses what the grammar forbids`(text: String, offset: Int) {
        let error = #expect(throws: JSONScanError.self) { try JSONObject.scan(Array(text.utf8), maximumDepth: 8) }
        guard case .malformed = error?.code else {
            return #expect(Bool(false), "\(text): \(String(describing: error))")
        }
        #expect(error?.offset == offset)
        #expect(error?.gatewayError.code == "invalid_json")
    }

    /// One class of ill-formed UTF-8 each: Unicode Standard, table 3-7.
    static let illFormed: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x9F, 0xBF], [0xE2, 0x82],
        [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28],
        [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF0, 0x9F, 0x98, 0x28],
        [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ]

    @Test(arguments: illFormed) func `refuses ill formed UTF8`(sequence: [UInt8]) {
        // At every distance from an eight-byte step, in a value, in a name, and outside of a string.
        for padding in 0..<9 {
            let start = Array("{\"a\":\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: padding)
            let error = #expect(throws: JSONScanError.self) {
                try JSONObject.scan(start + sequence + Array("\"}".utf8), maximumDepth: 8)
            }
            #expect(error?.code == .notUTF8 && error?.offset == start.count)
        }
        for text in [Array("{\"".utf8) + sequence + Array("\":1}".utf8), Array("{".utf8) + sequence, sequence] {
            #expect(throws: JSONScanError.self) { try JSONObject.scan(text, maximumDepth: 8) }
        }
    }

    @Test func `accepts the limits of each UTF8 length`() throws {
        let scalars: [UInt32] = [0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]
        for scalar in scalars.compactMap(Unicode.Scalar.init) {
            let text = "{\"a\":\"\(Character(scalar))\"}"
            let object = try JSONObject.scan(Array(text.utf8), maximumDepth: 1)
            let member = try #require(object.member("a"))
            #expect(object.string(member) == String(scalar))
        }
    }

    static let refused: [(text: String, code: JSONScanError.Code, gatewayCode: String)] = [
        ("", .empty, "empty_body"), (" \n\t", .empty, "empty_body"), ("\u{FEFF}{}", .byteOrderMark, "invalid_json"),
        ("[1,2]", .notAnObject(.array), "json_not_an_object"),
        ("\"text\"", .notAnObject(.string), "json_not_an_object"),
        ("12", .notAnObject(.number), "json_not_an_object"), ("true", .notAnObject(.true), "json_not_an_object"),
        ("null", .notAnObject(.null), "json_not_an_object"),
        (#"{"a":1,"b":2,"a":3}"#, .duplicateKey("a"), "duplicate_key"),
        (#"{"model":1,"mod\u0065l":2}"#, .duplicateKey("model"), "duplicate_key"),
        (#"{"":1,"":2}"#, .duplicateKey(""), "duplicate_key"),
        (#"{"\ud83d\ude00":1,"😀":2}"#, .duplicateKey("😀"), "duplicate_key"),
        (#"{"\ud800":1}"#, .loneSurrogateInKey, "invalid_json"),
        (#"{"\udc00":1}"#, .loneSurrogateInKey, "invalid_json"),
        (#"{"\ud800\ud800":1}"#, .loneSurrogateInKey, "invalid_json"),
        (#"{"\ud800x":1}"#, .loneSurrogateInKey, "invalid_json"), (#"{"a":[[[1]]]}"#, .tooDeep(3), "json_too_deep"),
        (#"{"a":{"b":{"c":{}}}}"#, .tooDeep(3), "json_too_deep"),
    ]

    @Test(arguments: refused) func `refuses with the reason`(
        text: String, code: JSONScanError.Code, gatewayCode: String
    ) {
        let error = #expect(throws: JSONScanError.self) { try JSONObject.scan(Array(text.utf8), maximumDepth: 3) }
        #expect(error?.code == code)
        #expect(error?.gatewayError.status == 400)
        #expect(error?.gatewayError.code == gatewayCode)
    }

    /// Among few names and many, written in the same way or in another.
    @Test(arguments: [1, 11, 12, 13, 40]) func `finds a name that is there twice`(count: Int) throws {
        let names = (0..<count).map { "name \($0)" }
        func scan(_ last: String) throws -> JSONObject {
            let members = (names + [last]).map { #""\#($0)":[]"# }
            return try JSONObject.scan(Array("{\(members.joined(separator: ","))}".utf8), maximumDepth: 2)
        }
        for place in [0, count / 2, count - 1] {
            for twin in ["name \(place)", #"n\u0061me \#(place)"#] {
                let error = #expect(throws: JSONScanError.self) { try scan(twin) }
                #expect(error?.code == .duplicateKey("name \(place)"))
            }
        }
        #expect(try scan("name").members.count == count + 1)
        #expect(try scan(#"n\u0061me"#).members.count == count + 1)
    }

    @Test func `tells the place by line and column`() {
        let error = #expect(throws: JSONScanError.self) {
            try JSONObject.scan(Array("{\n  \"a\": 1,\n  b\n}".utf8), maximumDepth: 8)
        }
        #expect(error?.offset == 14 && error?.line == 3 && error?.column == 3)
        #expect(
            error?.gatewayError.message.contains("byte 14 (line 3, column 3): expected a name in double quotes") == true
        )
    }

    @Test func `shortens a name in its message`() {
        let name = String(repeating: "k", count: 10_000)
        let error = #expect(throws: JSONScanError.self) {
            try JSONObject.scan(Array("{\"\(name)\":1,\"\(name)\":2}".utf8), maximumDepth: 8)
        }
        #expect((error?.gatewayError.message.count ?? .max) < 300)
        #expect(error?.gatewayError.param?.count == 65)
    }

    @Test func `counts the outermost object as depth one`() throws {
        for depth in 1...70 {
            let text = Array(
                (String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)).utf8)
            #expect(try JSONObject.scan(text, maximumDepth: depth).members.count == 1)
            #expect(throws: JSONScanError.self) { try JSONObject.scan(text, maximumDepth: depth - 1) }
        }
    }

    @Test func `follows a million levels without the stack`() throws {
        let levels = 1_000_000
        let text = Array(
            (#"{"a":"# + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}").utf8)
        #expect(try JSONObject.scan(text, maximumDepth: levels + 1).members.count == 1)
    }

    @Test func `reads ten thousand names and no more`() throws {
        let text = "{" + (0..<9_999).map { "\"key\($0)\":\($0)" }.joined(separator: ",")
        #expect(try JSONObject.scan(Array((text + ",\"last\":0}").utf8), maximumDepth: 1).members.count == 10_000)
        let many = #expect(throws: JSONScanError.self) {
            try JSONObject.scan(Array((text + ",\"a\":0,\"b\":0}").utf8), maximumDepth: 1)
        }
        #expect(many?.code == .tooManyMembers(10_000))
        let error = #expect(throws: JSONScanError.self) {
            try JSONObject.scan(Array((text + ",\"key\\u0037\":0}").utf8), maximumDepth: 1)
        }
        #expect(error?.code == .duplicateKey("key7"))
    }
}
