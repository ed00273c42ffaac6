import Testing

@testable import Common
@testable import Verifier

/// What is made of a row's metadata: no stump is shown, and the finish reasons are read in every form in which a server
/// gives them.
struct StoredMetadataTests {
    private func metadata(_ json: String) throws -> StoredMetadata {
        StoredMetadata(of: try #require(LangfuseJSON(Array(#"{"metadata":\#(json)}"#.utf8))))
    }

    private static let ascii = String(repeating: "x", count: 200)

    /// A value of a member `v`, the names that were asked for whole, and whether the value stays.
    @Test(arguments: [
        (#""\#(ascii)""#, [], false), (#""\#(ascii)""#, ["v"], true), (#""\#(ascii)y""#, [], true),
        (#""\#(ascii.dropLast())""#, [], true),
        // 200 characters for Python, for JavaScript, and 200 bytes.
        (#""\#(String(repeating: "\u{1F600}", count: 200))""#, [], false),
        (#""\#(String(repeating: "\u{1F600}", count: 100))""#, [], false),
        (#""\#(String(repeating: "é", count: 100))""#, [], false),
        (#""\#(String(repeating: "é", count: 101))""#, [], true),
        // Half a character is not text.
        (#""\#(ascii.dropLast())\ud83d""#, [], false), (#""\#(ascii.dropLast())\ud83d""#, ["v"], false),
        // A server that does not know `expandMetadata`.
        (#""{\"a\":\"\#(ascii.dropLast(6))""#, ["v"], false), (#""{\"a\":\"\#(ascii.dropLast(8))\"}""#, ["v"], true),
        (#"{"a":"\#(ascii)"}"#, [], true), (#"["\#(ascii)"]"#, [], true), ("7", [], true), ("null", [], true),
        (#""""#, [], true),
    ])
    func `stumps are left out`(value: String, whole: [String], stays: Bool) throws {
        let shown = try metadata(#"{"a" : "b","v":\#(value), "c\u00e9":[1.50]}"#).withoutStumps(
            whole: Set(texts: whole))
        let rest = try #require(LangfuseJSON(shown))
        #expect(rest.names == (stays ? ["a", "v", "cé"] : ["a", "cé"]))
        #expect(rest.text("a") == "b" && String(decoding: rest.value("cé"), as: UTF8.self) == "[1.50]")
        if stays { #expect(String(decoding: rest.value("v"), as: UTF8.self) == value) }
    }

    /// The members that stay are as they were written, their names' escapes too.
    @Test(arguments: [
        (["v"], #"{"a":"b","c\u00e9":[1.50, 2]}"#), (["a", "cé"], #"{"v":{ }}"#), (["a", "v", "cé"], "{}"),
    ])
    func `the rest is shown to the byte`(names: [String], rest: String) throws {
        let json = try #require(LangfuseJSON(Array(#"{ "a" : "b", "v":{ }, "c\u00e9" :[1.50, 2] }"#.utf8)))
        #expect(String(decoding: json.without(Set(texts: names)), as: UTF8.self) == rest)
    }

    @Test(arguments: ["null", "7", #""text""#, "[]"]) func `what is no object stays as it is`(_ json: String) throws {
        #expect(String(decoding: try metadata(json).withoutStumps(whole: []), as: UTF8.self) == json)
        #expect(try metadata(json).finishReasons.isEmpty)
    }

    @Test(arguments: [
        (#"{"gateway_finish_reasons":"stop"}"#, ["stop"]),
        (#"{"gateway_finish_reasons":"[\"stop\",\"length\"]"}"#, ["stop", "length"]),
        (#"{"gateway_finish_reasons":["stop","length"]}"#, ["stop", "length"]),
        (#"{"gateway_finish_reasons":"a, b"}"#, ["a, b"]),
        (#"{"attributes":{"gen_ai.response.finish_reasons":["stop"]}}"#, ["stop"]),
        (#"{"attributes":{"gen_ai.response.finish_reasons":"[\"stop\"]"}}"#, ["stop"]),
        (#"{"attributes":"{\"gen_ai.response.finish_reasons\":\"[\\\"stop\\\"]\"}"}"#, ["stop"]),
        (
            #"{"gateway_finish_reasons":"[\"stop\",\"leng","attributes":{"gen_ai.response.finish_reasons":["stop","length"]}}"#,
            ["stop", "length"]
        ),
        (#"{"gateway_finish_reasons":"new","attributes":{"gen_ai.response.finish_reasons":["old"]}}"#, ["new"]),
        (#"{"attributes":"{\"gen_ai.response.finish_rea"}"#, []), (#"{"gateway_finish_reasons":""}"#, []),
        (#"{"gateway_finish_reasons":null}"#, []),
        (#"{"gateway_finish_reasons":[7]}"#, []), ("{}", []),
    ])
    func `finish reasons are read`(json: String, reasons: [String]) throws {
        #expect(try metadata(json).finishReasons == reasons)
    }

    @Test(
        arguments: [
            ([], nil), (["stop"], "stop"), (["stop", "a\"b"], #"["stop","a\"b"]"#), (["[odd"], #"["[odd"]"#),
        ] as [([String], String?)])
    func `the form of finish reasons is fixed`(reasons: [String], text: String?) {
        #expect(FinishReasons.text(reasons) == text)
    }

    @Test(arguments: [
        ["stop"], ["stop", "length"], ["[odd"], ["a,b"], ["é\"\n", ""], [String(repeating: "x", count: 500)],
    ])
    func `finish reasons come back`(_ reasons: [String]) throws {
        let text = try #require(FinishReasons.text(reasons))
        #expect(FinishReasons.list(text) == reasons)
    }

    @Test(arguments: [
        (#"{"input":5,"output":1,"total":6}"#, #"{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}"#),
        (#"{"input":"5","output":1}"#, #"{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}"#),
        (
            #"{"input":1,"output":2,"total":15,"input_cached_tokens":4,"input_audio_tokens":1,"output_reasoning_tokens":7}"#,
            #"{"prompt_tokens":6,"completion_tokens":9,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},"#
                + #""completion_tokens_details":{"reasoning_tokens":7}}"#
        ),
        (#"{"total":3}"#, #"{"total_tokens":3}"#), (#"{"output":3}"#, #"{"completion_tokens":3,"total_tokens":3}"#),
        ("{}", "null"), ("null", "null"),
        (#"{"input":9223372036854775807,"input_cached_tokens":9223372036854775807,"output":-1}"#, "null"),
        (#"{"input":1.5,"output":true}"#, "null"),
    ])
    func `usage is told as the provider told it`(details: String, usage: String) throws {
        let row = try #require(LangfuseJSON(Array(#"{"usageDetails":\#(details)}"#.utf8)))
        #expect(String(decoding: StoredUsage.json(of: row), as: UTF8.self) == usage)
    }
}
