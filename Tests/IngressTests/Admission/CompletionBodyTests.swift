import Common
import Testing

@testable import Ingress

struct CompletionBodyTests {
    private func read(_ text: String) throws(GatewayError) -> CompletionBody {
        try CompletionBody(chat: Array(text.utf8), maximumDepth: 8)
    }

    @Test(arguments: [
        (#"{"model":"openai/gpt"}"#, "openai/gpt", false), (#" { "stream" : true , "model" : "a" } "#, "a", true),
        (#"{"model":"a","stream":null}"#, "a", false), (#"{"model":"a","stream":false}"#, "a", false),
        (#"{"mod\u0065l":"\u0061\ud83d\ude00"}"#, "a\u{1F600}", false),
        (#"{"model":"a","x":{"model":"b","stream":1}}"#, "a", false),
        (#"{"model":"a","__proto__":{"stream":true}}"#, "a", false), (#"{"model":" "}"#, " ", false),
        (#"{"model":"a","x":{"y":1,"y":2}}"#, "a", false),
    ])
    func `its model and its kind are read`(text: String, model: String, isStream: Bool) throws {
        let body = try read(text)
        #expect(body.model == model && body.isStream == isStream)
    }

    @Test(arguments: [
        ("", "empty_body"), (" \n", "empty_body"), ("\u{FEFF}{}", "invalid_json"), ("nonsense", "invalid_json"),
        ("{\"model\":\"a\"", "invalid_json"),
        ("{'model':'a'}", "invalid_json"), (#"{"model":"a",}"#, "invalid_json"), (#"{"model":"a"}x"#, "invalid_json"),
        (#""text""#, "json_not_an_object"),
        ("[]", "json_not_an_object"), ("null", "json_not_an_object"), (#"{"model":"a","model":"a"}"#, "duplicate_key"),
        (#"{"model":"a","x":[[[[[[[[1]]]]]]]]}"#, "json_too_deep"),
        ("{}", "missing_model"), (#"{"x":{"model":"a"}}"#, "missing_model"), (#"{"Model":"a"}"#, "ambiguous_member"),
        (#"{"model":"a","MODEL":"b"}"#, "ambiguous_member"), (#"{"model":null}"#, "invalid_model"),
        (#"{"model":["a"]}"#, "invalid_model"),
        (#"{"model":1}"#, "invalid_model"), (#"{"model":""}"#, "invalid_model"),
        (#"{"model":"a","stream":"true"}"#, "invalid_stream"),
        (#"{"model":"a","stream":1}"#, "invalid_stream"), (#"{"model":"a","stream":{}}"#, "invalid_stream"),
    ])
    func `what can be read in two ways or none is refused`(text: String, code: String) {
        let error = #expect(throws: GatewayError.self) { try read(text) }
        #expect(error?.status == 400 && error?.code == code && error?.type == "invalid_request_error")
        #expect(error?.shouldRetry == false, "a second attempt would not help")
    }

    @Test(arguments: [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3]] as [[UInt8]])
    func `not UTF8 is refused`(bytes: [UInt8]) {
        let error = #expect(throws: GatewayError.self) {
            try CompletionBody(chat: Array(#"{"model":"a","x":""#.utf8) + bytes + Array(#""}"#.utf8), maximumDepth: 8)
        }
        #expect(error?.code == "invalid_utf8")
    }

    /// A body of another call is looked into as far as it is a JSON object.
    @Test(
        arguments: [
            (#"{"model":"a","stream":true}"#, "application/json", "a", true),
            (#"{"model":"a"}"#, "application/vnd.x+JSON; charset=utf-8", "a", false),
            (#"{"model":null}"#, "application/json", nil, false), ("[1]", "application/json", nil, false),
            ("", "application/json", nil, false),
            (#"{"model":"a","stream":true}"#, "text/plain", "a", true), (#"{"model":"a"}"#, nil, "a", false),
            (#" {"model":"a"}"#, "multipart/form-data; boundary=b", "a", false), ("not json", "audio/wav", nil, false),
            ("stream=true&model=a%2Fb", "application/x-www-form-urlencoded", "a/b", true), ("model=a", nil, nil, false),
            (
                "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n--b--",
                "Multipart/Form-Data; Boundary=b", "a", false
            ),
        ] as [(String, String?, String?, Bool)])
    func `another call's body is read if it is JSON`(
        text: String, contentType: String?, model: String?, isStream: Bool
    ) throws {
        let body = try CompletionBody(other: Array(text.utf8), contentType: contentType, maximumDepth: 8)
        #expect(body.model == model && body.isStream == isStream)
    }

    @Test(arguments: [
        (#"{"a":1,"a":2}"#, "duplicate_key"), ("{", "invalid_json"), (#"{"stream":"x"}"#, "invalid_stream"),
        ("nonsense", "invalid_json"),
        (#"{"model":7}"#, "invalid_model"), (#"{"model":""}"#, "invalid_model"),
        (#"{"Model":"a"}"#, "ambiguous_member"),
        ("\u{FEFF}{}", "invalid_json"), ("\u{0}{", "invalid_json"),
    ])
    func `another call's bad JSON is refused`(text: String, code: String) {
        let error = #expect(throws: GatewayError.self) {
            try CompletionBody(other: Array(text.utf8), contentType: "application/json", maximumDepth: 8)
        }
        #expect(error?.code == code)
    }
}
