import Testing

@testable import Forwarder

@Suite struct MemberRefusalTests {
    @Test(arguments: [
        // OpenAI, vLLM, LiteLLM.
        #"{"error":{"message":"Unknown parameter.","type":"invalid_request_error","param":"stream_options","code":null}}"#,
        #"{"error":{"message":"Unrecognized request argument supplied: stream_options","param":null}}"#,
        #"{"error":{"message":"litellm.UnsupportedParamsError: x does not support parameters: ['stream_options'], for model=m"}}"#,
        #"{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options')}]"}"#,
        // FastAPI, Mistral.
        #"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{"include_usage":true}}]}"#,
        #"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options","include_usage"],"msg":"no"}]}"#,
        // An error under the member's name, in several languages' validators.
        #"{"errors":{"stream_options":["Unknown field."]}}"#, #"{"body":{"stream_options":["Unknown field."]}}"#,
        #"{"message":"json: unknown field \"stream_options\""}"#, #"{"error":"Unknown field streamOptions"}"#,
        #"["a", {"b": "property stream_options.include_usage should not exist"}]"#, #""/stream_options""#,
        #"{"message":"line\nstream\u005foptions: not allowed"}"#,
        "stream_options is not supported", "<html><p>400: bad field `stream_options`</p></html>",
        "unknown option: include-usage", "{\"error\": stream_options",
        #"{"body":"stream_options is not permitted"}"#,
        #"{"body":{"model":"m","stream_options":{}},"detail":[{"loc":["body","stream_options"]}]}"#,
    ])
    func `a refusal that names it is found`(body: String) {
        #expect(MemberRefusal.names("stream_options", in: Array(body.utf8)))
    }

    @Test(arguments: [
        "", "{}", #"{"error":{"message":"max_tokens is too large","param":"max_tokens"}}"#,
        #"{"detail":[{"type":"missing","loc":["body","messages"],"input":{"stream_options":{"include_usage":true}}}]}"#,
        #"{"message":"bad","request":{"stream_options":{"include_usage":true}}}"#,
        "my_stream_options", "stream_options_v2", "upstream options", "stream", "options", "stream_option",
        #"{"error":"usage"}"#,
        // The request, as servers repeat it.
        #"{"detail":[{"loc":["body","temperature"]}],"body":{"model":"m","stream_options":{"include_usage":true}}}"#,
        #"{"body":{"stream_options":{"include_usage":true},"messages":[]},"error":"temperature"}"#,
        #"{"error":"temperature","body":"{\"model\":\"m\",\"stream_options\":{}}"}"#,
        #"{"error":{"what":"temperature","sent":{"stream_options":{},"messages":[],"model":"m"}}}"#,
        #"{"payload":{"stream":true,"stream_options":{}},"msg":"temperature"}"#,
    ])
    func `another refusal is none`(body: String) {
        #expect(!MemberRefusal.names("stream_options", in: Array(body.utf8)))
    }

    @Test func `what is cut is judged by what there is`() {
        let named = #"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs"}],"body":{"model":"m","mess"#
        let echo = #"{"detail":[{"loc":["body","temperature"]}],"body":{"stream_options":{"include_usage":true},"mod"#
        for (text, isNamed) in [
            (named, true), (named + "{", true), (echo, false), (#"{"error":"no stream_options"#, false),
            (#"{"error":"no stream_options","code"#, true), ("no stream_options he", true), ("", false),
        ] {
            #expect(MemberRefusal.names("stream_options", in: Array(text.utf8), isWhole: false) == isNamed, "\(text)")
        }
    }

    @Test func `client errors that are not about the request are no refusals`() {
        let refusing = (100..<600).filter(MemberRefusal.mayRefuse)
        #expect(refusing == (400..<500).filter { ![401, 407, 408, 429].contains($0) } + [500, 501])
    }

    /// Behind it a completion may have been made.
    @Test(arguments: [
        (#"{"error":"create() got an unexpected keyword argument 'stream_options'"}"#, true),
        (#"{"error":{"message":"Unrecognized request argument supplied: stream_options"}}"#, true),
        ("TypeError: Unknown field streamOptions", true), ("`stream_options` is NOT supported", true),
        (#"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#, false),
        (#"{"error":"could not send the usage for stream_options"}"#, false),
        ("create(stream_options={'include_usage': True})\nValueError: invalid temperature", false),
        ("create(stream_options={'include_usage': True}), invalid temperature", false),
        (#"{"error":"unexpected","stream_options":{"include_usage":true}}"#, false),
    ])
    func `a 500 must blame the member`(body: String, isRefusal: Bool) {
        #expect(MemberRefusal.names("stream_options", in: Array(body.utf8), status: 500) == isRefusal)
    }

    @Test(arguments: [
        #"{"error":{"message":"no stream_options"},"status_code":400}"#,
        #"{"status_code":400,"error":{"message":"no stream_options"}}"#,
        #"{"success":false,"errors":[{"message":"no stream_options"}]}"#, #"{"detail":"stream_options not known"}"#,
        #"{"code":400,"msg":"stream_options not known"}"#, #"{"message":["stream_options should not exist"]}"#,
        #"{"object":"error","param":"stream_options"}"#, #"{"param":"stream_options","type":"error"}"#,
        #"{"type":"response.failed","response":{"error":{"message":"no stream_options"}}}"#,
        #"{"choices":[],"error":{"message":"no stream_options"}}"#, #"{"choices":null,"detail":"stream_options"}"#,
        #"{"id":1,"error":"no stream_options","req"#,
    ])
    func `an error in a good answer is one in any order`(text: String) {
        #expect(MemberRefusal.names("stream_options", inAnswer: Array(text.utf8)))
    }

    @Test(arguments: [
        "", "[]", #"{"choices":[],"message":"stream_options"}"#, #"{"message":{"content":"stream_options"}}"#,
        #"{"type":"response.created","response":{"stream_options":{}}}"#, #"{"stream_options":{}}"#,
        #"{"object":"error","choices":[],"message":"stream_options"}"#, #"{"text":"stream_options"}"#,
        #"{"error":{"message":"temperature","body":{"model":"m","stream_options":{}}}}"#, #"{"error":null}"#,
    ])
    func `a good answer is none`(text: String) {
        #expect(!MemberRefusal.names("stream_options", inAnswer: Array(text.utf8)))
    }

    @Test func `other members are found by their names`() {
        #expect(MemberRefusal.names("metadata", in: Array(#"{"error":"'metadata' is not allowed"}"#.utf8)))
        #expect(!MemberRefusal.names("metadata", in: Array(#"{"error":"langfuse_metadata is not allowed"}"#.utf8)))
    }

    @Test func `hostile nesting is passed over`() {
        let body = String(repeating: "[", count: 30_000) + "\"stream_options\"" + String(repeating: "]", count: 30_000)
        #expect(!MemberRefusal.names("stream_options", in: Array(body.utf8)))
    }
}
