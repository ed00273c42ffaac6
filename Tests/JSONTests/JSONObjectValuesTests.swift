import Testing

@testable import Common
@testable import JSON

@Suite struct JSONObjectValuesTests {
    private func scan(_ text: String) throws -> JSONObject {
        try JSONObject.scan(Array(text.utf8), maximumDepth: 16)
    }

    @Test func `gives ranges and kinds in order`() throws {
        let text = #" {"s" : "x" ,"n":-1.5e3,"o":{ "i": [] },"a":[1, 2],"t":true,"f":false,"z":null} "#
        let object = try scan(text)
        let written = object.members.map { String(decoding: object.bytes[$0.value], as: UTF8.self) }
        #expect(written == [#""x""#, "-1.5e3", #"{ "i": [] }"#, "[1, 2]", "true", "false", "null"])
        #expect(object.members.map(\.kind) == [.string, .number, .object, .array, .true, .false, .null])
        #expect(
            object.members.map { String(decoding: object.bytes[$0.key], as: UTF8.self) } == [
                "s", "n", "o", "a", "t", "f", "z",
            ])
        #expect(object.braces == 1..<text.utf8.count - 1)
    }

    @Test(arguments: [
        #"{"model":"m"}"#, #"{"mod\u0065l":"m"}"#, #"{"\u006D\u006f\u0064\u0065\u006C":"m"}"#,
        #"{"modem":1,"mode":2,"model":"m"}"#,
    ])
    func `finds a name however it is written`(text: String) throws {
        let object = try scan(text)
        let member = try #require(object.member("model"))
        #expect(object.string(member) == "m" && object.name(of: member) == "model")
        #expect(object.member("Model") == nil && object.member("mod") == nil)
    }

    @Test func `finds case variants`() throws {
        let object = try scan(#"{"model":1,"MOD\u0045L":2}"#)
        #expect(object.caseVariant(of: "model") == object.members[1])
        #expect(try scan(#"{"model":1,"models":2}"#).caseVariant(of: "model") == nil)
    }

    static let strings: [(written: String, text: String?)] = [
        ("", ""), ("plain", "plain"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"), (#"\u0041\u00e9\u6F22"#, "Aé漢"),
        (#"\u0000"#, "\u{0}"),
        (#"\ud83d\ude00!"#, "😀!"), (#"a\uD800\uDC00b\uDBFF\uDFFFc"#, "a\u{10000}b\u{10FFFF}c"),
        (#"\\u0041"#, "\\u0041"), ("é漢😀", "é漢😀"),
        (#"\ud800"#, nil), (#"\ud800x"#, nil), (#"\ud800\n"#, nil), (#"\ud800\u0041"#, nil), (#"\ud800\ud800"#, nil),
        (#"\udc00"#, nil),
        (#"\udc00\ud800"#, nil), (#"\ude00\ud83d\ude00"#, nil),
    ]

    @Test(arguments: strings) func `unescapes strings`(written: String, text: String?) throws {
        let object = try scan("{\"a\":\"\(written)\"}")
        #expect(object.string(object.members[0]).map { Array($0.utf8) } == text.map { Array($0.utf8) })
    }

    @Test func `gives nil for another kind`() throws {
        let object = try scan(
            #"{"s":"x","t":true,"f":false,"a":["x","\u0079"],"m":["x",1],"l":["\ud800"],"o":{"k":1}}"#)
        let (s, t, f, a, m, l, o) = try (
            #require(object.member("s")), #require(object.member("t")), #require(object.member("f")),
            #require(object.member("a")),
            #require(object.member("m")), #require(object.member("l")), #require(object.member("o"))
        )
        #expect(object.bool(t) == true && object.bool(f) == false && object.bool(s) == nil)
        #expect(object.string(t) == nil && object.strings(s) == nil && object.elements(o) == nil)
        #expect(object.strings(a) == ["x", "y"] && object.strings(m) == nil && object.strings(l) == nil)
        #expect(try object.object(a) == nil && object.object(o)?.members.count == 1)
    }

    @Test func `counts a nested object in the same bytes`() throws {
        let object = try scan(#"{"x":1, "metadata": { "tags" : [ "a" , ["b"] ] }}"#)
        let member = try #require(object.member("metadata"))
        let nested = try #require(try object.object(member))
        let tags = try #require(nested.member("tags"))
        #expect(String(decoding: object.bytes[tags.value], as: UTF8.self) == #"[ "a" , ["b"] ]"#)
        let elements = try #require(nested.elements(tags))
        #expect(elements.map { String(decoding: object.bytes[$0.value], as: UTF8.self) } == [#""a""#, #"["b"]"#])
        #expect(elements.map(\.kind) == [.string, .array])
    }

    @Test func `refuses a duplicate in a nested object that is looked into`() throws {
        let object = try scan(#"{"metadata":{"tags":[],"tags":[]}}"#)
        let error = #expect(throws: JSONScanError.self) { try object.object(object.members[0]) }
        #expect(error?.code == .duplicateKey("tags") && error?.offset == 24)
    }

    @Test func `scans a part of the bytes`() throws {
        let bytes = Array(#"garbage{"a":1}garbage"#.utf8)
        #expect(try JSONObject.scan(bytes, range: 7..<14, maximumDepth: 1).members.count == 1)
        #expect(throws: JSONScanError.self) { try JSONObject.scan(bytes, range: 7..<15, maximumDepth: 1) }
        #expect(throws: JSONScanError.self) { try JSONObject.scan(bytes, range: 7..<13, maximumDepth: 1) }
        // Tokens that go on behind the part: a string, a number, a word, a character, an escape.
        for text in [#"{"a":"b"}"#, #"{"a":12}"#, #"{"a":true}"#, "{\"a\":\"漢\"}", #"{"a":"\u0041"}"#] {
            let bytes = Array(text.utf8)
            for end in 0..<bytes.count {
                #expect(throws: JSONScanError.self) { try JSONObject.scan(bytes, range: 0..<end, maximumDepth: 1) }
            }
        }
    }
}
