import Common
import JSON
import TestSupport
import Testing

@testable import Policies

/// The headers that carry metadata, and what is refused in them.
@Suite struct CarriedMetadataTests {
    /// One field of a request.
    struct Field: Sendable, CustomStringConvertible {
        var name = CarriedMetadata.header
        var value: String

        init(_ value: String) { self.value = value }
        init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }

        var description: String { "\(name): \(value)" }
    }

    static func read(_ fields: [Field]) throws(GatewayError) -> [String] {
        try carried(fields).metadata.entries.map(\.tag)
    }

    static func carried(_ fields: [Field]) throws(GatewayError) -> CarriedMetadata {
        var carried = CarriedMetadata()
        for field in fields {
            if let header = MetadataHeader.allCases.first(where: { CarriedMetadata.isCarrier(field.name, of: $0) }) {
                try carried.add(field.value, named: field.name, of: header)
            } else {
                try carried.add(field.value)
            }
        }
        return carried
    }

    @Test(
        arguments: [
            ([Field(#"{}"#)], []),
            ([Field(#" {"team" : "red", "env":"prod"} "#)], ["team:red", "env:prod"]),
            ([Field(#"{"t\u00e9am":"r\"ed","empty":""}"#)], ["téam:r\"ed", "empty:"]),
            // Compared by bytes, so these are two keys.
            ([Field("{\"e\u{301}\":\"1\",\"\u{e9}\":\"2\"}")], ["e\u{301}:1", "\u{e9}:2"]),
            ([Field("x-portkey-metadata", #"{"_user":"u"}"#)], ["_user:u"]),
            (
                [Field("CF-AIG-Metadata", #"{"a":1.50,"b":true,"c":false,"d":"x"}"#)],
                ["a:1.50", "b:true", "c:false", "d:x"]
            ),
            ([Field("Helicone-Property-App", "Chat"), Field("helicone-property-Env", "x")], ["app:Chat", "env:x"]),
            ([Field("x-litellm-tags", " a , b:c:d,, e : f ")], ["tag.a:true", "b:c:d", "e:f"]),
            ([Field(#"{"app":"x"}"#), Field("Helicone-Property-App", "x")], ["app:x"]),
        ] as [([Field], [String])])
    func `carriers give keys and values`(fields: [Field], tags: [String]) throws {
        #expect(try Self.read(fields) == tags)
    }

    /// The switch is not metadata. Of several headers one that says no counts.
    @Test(
        arguments: [
            ([Field(#"{"a":"b"}"#)], true), ([Field(#"{"tfy_log_request":"true","a":"b"}"#)], true),
            ([Field(#"{"tfy_log_request":"false","a":"b"}"#)], false),
            (
                [
                    Field(#"{"tfy_log_request":"true"}"#),
                    Field("cf-aig-metadata", #"{"tfy_log_request":false,"a":"b"}"#),
                ],
                false
            ),
            (
                [Field("helicone-property-tfy_log_request", "false"), Field(#"{"tfy_log_request":"true","a":"b"}"#)],
                false
            ),
            ([Field("x-litellm-tags", "tfy_log_request:false,a:b")], false),
        ] as [([Field], Bool)])
    func `the switch is read from all carriers`(fields: [Field], wishesLog: Bool) throws {
        let carried = try Self.carried(fields)
        #expect(carried.wishesLog == wishesLog && carried.metadata.entries.map(\.tag) == ["a:b"])
    }

    /// Each error names the header, the key where there is one, and the rule.
    @Test(
        arguments: [
            ([Field("")], ["x-tfy-metadata", "empty"]),
            ([Field("team=red")], ["not JSON", "byte 0"]),
            ([Field(#"["a"]"#)], ["an array, not an object"]),
            ([Field(#"{"a":"b"} x"#)], ["not JSON"]),
            ([Field(#"{"team":1}"#)], ["`team`", "a number", "in quotes"]),
            ([Field(#"{"team":true}"#)], ["`team`", "a boolean"]),
            ([Field(#"{"team":null}"#)], ["`team`", "null"]),
            ([Field(#"{"team":{"a":["b"]}}"#)], ["`team`", "an object"]),
            ([Field(#"{"team":"\ud800"}"#)], ["`team`", "surrogate"]),
            ([Field(#"{"team":"a","team":"a"}"#)], ["`team`", "twice"]),
            ([Field(#"{"team":"a","t\u0065am":"b"}"#)], ["`team`", "twice"]),
            ([Field(#"{"":"a"}"#)], ["empty"]),
            ([Field(#"{"a:b":"a"}"#)], ["`a:b`", "colon"]),
            ([Field(#"{"a\nb":"a"}"#)], ["control character"]),
            ([Field("{\"\(String(repeating: "é", count: 65))\":\"a\"}")], ["64", "shorten"]),
            ([Field("{\"k\":\"\(String(repeating: "é", count: 129))\"}")], ["`k`", "128", "shorten"]),
            ([Field(#"{"tfy_log_request":"no"}"#)], ["`tfy_log_request`", "`true` or `false`"]),
            ([Field(#"{"tfy_log_request":"False"}"#)], ["`tfy_log_request`", "`true` or `false`"]),
            ([Field(#"{"tfy_log_request":false}"#)], ["`tfy_log_request`", "a boolean"]),
            ([Field("x-litellm-tags", "tfy_log_request:")], ["`tfy_log_request`", "`true` or `false`"]),
            ([Field(#"{"tfy_gateway_zone":"x"}"#)], ["`tfy_gateway_zone`", "reserved"]),
            ([Field(#"{"rollout_id":"x"}"#)], ["`rollout_id`", "path"]),
            ([Field(#"{"invocation_id":"x"}"#)], ["`invocation_id`", "path"]),
            ([Field(#"{"experiment_id":"x"}"#)], ["`experiment_id`", "path"]),
            ([Field(#"{"run_id":"x"}"#)], ["`run_id`", "path"]),
            ([Field("Helicone-Property-Row_ID", "x")], ["helicone-property-*", "`row_id`", "path"]),
            ([Field("x-litellm-tags", "insertion_id:x")], ["x-litellm-tags", "`insertion_id`", "path"]),
            ([Field(#"{"project_id":"x"}"#)], ["`project_id`", "path"]),
            ([Field("Helicone-Property-", "x")], ["empty"]),
            ([Field("x-portkey-metadata", #"{"a":1}"#)], ["x-portkey-metadata", "`a`", "a number"]),
            ([Field("cf-aig-metadata", #"{"a":null}"#)], ["cf-aig-metadata", "`a`", "null"]),
            (
                [Field(#"{"app":"x"}"#), Field("Helicone-Property-App", "y")],
                ["`app`", "another value", "x-tfy-metadata"]
            ),
        ] as [([Field], [String])])
    func `a mistake is a 400 that says how to repair it`(fields: [Field], parts: [String]) throws {
        let error = try #require(throws: GatewayError.self) { try Self.read(fields) }
        #expect(error.status == 400 && error.code == "invalid_metadata" && error.shouldRetry == false)
        for part in parts { #expect(error.message.contains(part), "\(error.message)") }
    }

    @Test func `limits count Unicode scalars and keys`() throws {
        let (key, value) = (String(repeating: "🙂", count: 64), String(repeating: "🙂", count: 128))
        #expect(try Self.read([Field("{\"\(key)\":\"\(value)\"}")]) == ["\(key):\(value)"])
        func object(_ keys: Range<Int>) -> Field { Field("{\(keys.map { "\"k\($0)\":\"\"" }.joined(separator: ","))}") }
        #expect(try Self.read([object(0..<64)]).count == 64)
        let error = #expect(throws: GatewayError.self) { try Self.read([object(0..<65)]) }
        #expect(error?.message.contains("`k64`") == true && error?.message.contains("64") == true)
    }

    /// What can be carried at all comes out as it was written, with any escapes.
    @Test(arguments: 0..<200) func `random objects come back whole`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let scalars: [Unicode.Scalar] = ["a", "Z", "\"", "\\", "\u{1}", "é", "\u{301}", "🙂", "/", " ", "\u{7f}", ","]
        func text(_ count: ClosedRange<Int>, _ random: inout SeededRandom) -> String {
            var view = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: count, using: &random) {
                view.append(scalars.randomElement(using: &random) ?? "a")
            }
            return String(view)
        }
        var expected: [String] = []
        var out = Array("{".utf8)
        for index in 0..<Int.random(in: 0...8, using: &random) {
            let key =
                "k\(index)"
                + text(0...20, &random).filter {
                    !$0.unicodeScalars.contains { $0.properties.generalCategory == .control }
                }
            let value = text(0...128, &random)
            if index > 0 { out += Array(",".utf8) }
            out += JSONText.quoted(key) + Array(":".utf8) + JSONText.quoted(value)
            expected.append("\(key):\(value)")
        }
        #expect(try Self.read([Field(String(decoding: out + Array("}".utf8), as: UTF8.self))]) == expected)
    }

    /// A damaged header is read or refused. It never traps, and no error shows more of it than a key.
    @Test(arguments: 0..<200) func `damage is refused or another object`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bytes = Array(#"{"team":"r\u00e9d","n":[1,{"a":null}],"s":"\ud83d\ude00"}"#.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0x20...0x7E, using: &random)
        }
        do throws(GatewayError) {
            _ = try Self.read([Field("cf-aig-metadata", String(decoding: bytes, as: UTF8.self))])
        } catch {
            #expect(error.code == "invalid_metadata" && error.message.utf8.count < 600)
        }
    }

    @Test(
        arguments: [
            ("X-TFY-Metadata", true), ("X-Portkey-Metadata", true), ("cf-aig-metadata", true),
            ("Helicone-Property-", true),
            ("helicone-property-x", true), ("x-litellm-tags", true), ("helicone-auth", false),
            ("x-tfy-metadata2", false),
        ])
    func `a carrier is known by its name in any case`(name: String, isCarrier: Bool) {
        #expect(CarriedMetadata.isCarrier(name) == isCarrier)
    }
}
