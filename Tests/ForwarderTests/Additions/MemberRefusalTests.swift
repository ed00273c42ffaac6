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
    ])
    func `another refusal is none`(body: String) {
        #expect(!MemberRefusal.names("stream_options", in: Array(body.utf8)))
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
