import Common
import TestSupport
import Testing

@testable import Forwarder

/// No key of a client's stands in a span, wherever in the request or the answer it was, and all else does.
@Suite struct SecretSpanTests {
    private static let canary = "canary plain text"
    private static let key = "sk-proj-CANARY0123456789abcdef"

    @Test(arguments: [
        #""extra_body":{"api_key":"CANARY","top_k":5}"#, #""azure_ad_token":"CANARY""#, #""hf_token":"CANARY""#,
        #""api_key":"CANARY""#,
        #""user_config":{"model_list":[{"model_name":"m","litellm_params":{"api_key":"CANARY","api_base":"https://x"}}]}"#,
        #""tools":[{"type":"mcp","server_label":"s","headers":{"Authorization":"CANARY"}}]"#,
        #""extra_headers":{"X-Own":"CANARY"}"#,
        #""metadata":{"deep":[{"password":"CANARY"}],"tags":["t"]}"#,
        #""vertex_credentials":{"type":"service_account","private_key":"CANARY"}"#,
        #""metadata":{"tags":["KEY","x:KEY"],"trace_name":"KEY","generation_name":"a KEY","trace_user_id":"KEY"}"#,
        #""user":"KEY""#,
        #""router_settings_override":{"fallbacks":[{"model":"m","client_secret":"CANARY"}]}"#, #""stop":["KEY"]"#,
        #""web_search_options":{"token":"CANARY-0123456789"}"#,
        #""messages":[{"role":"user","content":[{"type":"text","text":"use KEY"}]},{"role":"assistant","tool_calls":[{"function":{"arguments":"{\"password\":\"CANARY\"}"}}]}]"#,
    ])
    func `a key in the request is in no attribute`(member: String) throws {
        let member = member.replacing(
            "CANARY", with: Self.canary.replacing(" ", with: member.contains("token") ? "-" : " ")
        ).replacing(
            "KEY", with: Self.key)
        let body =
            member.hasPrefix("\"messages\"")
            ? "{\(member),\"top_p\":0.5}" : #"{"messages":[{"role":"user","content":"hi"}],\#(member),"top_p":0.5}"#
        for status in [200, 500] {
            let span = try SpanSample.bytes(
                body: body, status: status, answer: #"{"choices":[{"message":{"role":"assistant","content":"yes"}}]}"#)
            for secret in [Self.canary, Self.key, "canary", "CANARY"] { #expect(!span.contains(secret), "\(span)") }
            #expect(span.contains("top_p"))
        }
    }

    @Test(arguments: [
        #"{"content":"here is KEY"}"#,
        #"{"tool_calls":[{"function":{"name":"f","arguments":"{\"api_key\":\"canary\",\"x\":\"KEY\"}"}}]}"#,
        #"{"content":"it was own-key/of+the=client-1 all along"}"#,
    ])
    func `a key in the answer is not there`(message: String) throws {
        let message = message.replacing("KEY", with: Self.key)
        let answer = #"{"id":"KEY","model":"KEY","choices":[{"message":\#(message),"finish_reason":"KEY"}]}"#.replacing(
            "KEY", with: Self.key)
        let span = try SpanSample.bytes(body: #"{"messages":[]}"#, answer: answer, key: "own-key/of+the=client-1")
        for secret in [Self.key, "canary", "own-key"] { #expect(!span.contains(secret), "\(span)") }
    }

    @Test func `an error that quotes a key and a traceparent that is one show none`() throws {
        let span = try SpanSample.bytes(
            body: "{}", status: 400, answer: #"{"error":{"message":"{\"api_key\":\"\#(Self.key)\"}"}}"#,
            headers: [HeaderField("traceparent", Self.key)])
        #expect(!span.contains("CANARY"))
    }

    /// A trace is found by its ids: they are shown as they are, whatever they look like.
    @Test func `ids stay as they are`() throws {
        var job = try SpanSample.job(#"{"messages":[]}"#)
        job.rollout = RolloutIDs(rollout: Self.key, invocation: "I", experiment: "E", run: "U", row: "r")
        let span = try #require(CompletionSpan(job))
        let read = try ReadSpan(span.answered(at: 1))
        #expect(read.string("session.id") == Self.key)
        #expect(read.strings("langfuse.trace.tags")?.contains("rollout_id:\(Self.key)") == true)
    }

    @Test func `a parameter with a secret in it keeps all else`() throws {
        let span = try SpanSample.span(
            body:
                #"{"messages":[],"extra_body":{"api_key":"x","a":[1.50,null]},"headers":{"accept":"*/*","x-key":"12345678"}, "prompt_cache_key":"k1"}"#,
            answer: "{}")
        #expect(
            span.string("langfuse.observation.model.parameters")
                == #"{"extra_body":{"api_key":"[redacted]","a":[1.50,null]},"headers":{"accept":"*/*","x-key":"[redacted]"},"prompt_cache_key":"k1"}"#
        )
    }
}
