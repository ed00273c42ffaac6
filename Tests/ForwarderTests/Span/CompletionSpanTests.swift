import Common
import Foundation
import TestSupport
import Testing
import Upstream

@testable import Forwarder

@Suite struct CompletionSpanTests {
    private static let messages =
        #"[{"role":"user","content":"\"é\" \\ \u00e9\n 1.0e+2 😀"} , {"role":"tool","content":null,"n":1.50}]"#
    private static let tools = #"[{"type":"function","function":{"name":"f","parameters":{"x":1e400}}}]"#
    private static let body =
        #"{"model":"openai/gpt-x", "messages": \#(messages),"tools":\#(tools),"temperature":0.70,"max_tokens":12,"api_key":"sk-body","#
        + #""stop":["a"],"seed":9007199254740993,"stream_options":{"include_usage":true},"user":"bob","metadata":{"tags":["mine","x:y","mine"],"task":"t1","#
        + #""rollout_id":"forged","trace_name":"my-trace","langfuse_secret_key":"sk-lf-1"}}"#
    private static let message =
        #"{"role":"assistant","content":"hi \"you\"","tool_calls":[{"id":"c1"}],"reasoning_content":"hm"}"#
    private static let answer =
        #"{"id":"cmpl-1","model":"gpt-x-2026","choices":[{"index":0,"message":\#(message),"finish_reason":"tool_calls"}],"#
        + #""usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":null},"#
        + #""completion_tokens_details":{"reasoning_tokens":5}}}"#

    @Test func `ids and times come out of the insertion ID`() throws {
        let span = try SpanSample.span(body: Self.body, answer: Self.answer)
        #expect(span.object["traceId"] as? String == "0198f3a0000070008000000000000001")
        #expect(span.object["spanId"] as? String == "8000000000000001")
        #expect(span.object["startTimeUnixNano"] as? String == "\(SpanSample.start.milliseconds)000000")
        #expect(span.object["endTimeUnixNano"] as? String == "\((SpanSample.start + 1500).milliseconds)000000")
        #expect(span.object["name"] as? String == "litellm_request")
        #expect(span.object["kind"] as? Int == 3)
        #expect(span.statusCode == 1)
        #expect(span.level == nil)
    }

    @Test func `input and output are the bytes that were sent`() throws {
        let span = try SpanSample.span(body: Self.body, answer: Self.answer)
        #expect(span.input == #"{"messages":\#(Self.messages),"tools":\#(Self.tools)}"#)
        #expect(span.output == Self.message)
    }

    @Test func `tags are the clients then metadata then the IDs in the reference's order`() throws {
        let span = try SpanSample.span(body: Self.body, answer: Self.answer)
        #expect(
            span.strings("langfuse.trace.tags") == [
                "mine", "x:y", "team:red", "rollout_id:R", "insertion_id:0198f3a0-0000-7000-8000-000000000001",
                "invocation_id:I", "experiment_id:E",
                "run_id:U",
                "row_id:a,b",
            ])
        #expect(span.string("session.id") == "R")
    }

    @Test func `model parameters usage and open telemetrys names are there`() throws {
        let span = try SpanSample.span(body: Self.body, answer: Self.answer)
        #expect(
            span.string("langfuse.observation.model.parameters")
                == #"{"temperature":0.70,"max_tokens":12,"stop":["a"],"seed":9007199254740993}"#)
        #expect(
            span.string("langfuse.observation.usage_details")
                == #"{"input":6,"output":2,"total":17,"input_cached_tokens":4,"output_reasoning_tokens":5}"#)
        #expect(span.string("langfuse.observation.type") == "generation")
        #expect(span.string("langfuse.observation.model.name") == "gpt-x-2026")
        #expect(span.string("gateway.model") == "openai/gpt-x")
        #expect(span.string("gen_ai.request.model") == "gpt-x")
        #expect(span.string("gen_ai.response.model") == "gpt-x-2026")
        #expect(span.string("gen_ai.provider.name") == "openai")
        #expect(span.string("gen_ai.response.id") == "cmpl-1")
        #expect(span.strings("gen_ai.response.finish_reasons") == ["tool_calls"])
        #expect(span.string("langfuse.observation.metadata.gateway_finish_reasons") == "tool_calls")
        #expect(span.integer("gen_ai.usage.input_tokens") == "10")
        #expect(span.integer("gen_ai.usage.output_tokens") == "7")
        #expect(span.integer("gen_ai.request.seed") == "9007199254740993")
        #expect(span.double("gen_ai.request.temperature") == 0.7)
    }

    @Test func `metadata has the IDs first and no key`() throws {
        let span = try SpanSample.span(body: Self.body, answer: Self.answer)
        let text = try #require(span.string("langfuse.trace.metadata"))
        let metadata = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String])
        #expect(
            metadata == [
                "insertion_id": "0198f3a0-0000-7000-8000-000000000001", "project_id": "p1", "rollout_id": "R",
                "invocation_id": "I",
                "experiment_id": "E", "run_id": "U", "row_id": "a,b", "team": "red", "task": "t1",
            ])
        #expect(span.string("user.id") == "bob")
        #expect(span.string("langfuse.trace.name") == "my-trace")
        #expect(span.string("gateway.account") == "alice")
        #expect(span.string("gateway.project") == "p1")
    }

    @Test func `a traceparent is an attribute and chooses no ID`() throws {
        let parent = "00-ffffffffffffffffffffffffffffffff-eeeeeeeeeeeeeeee-01"
        let span = try SpanSample.span(answer: [Array(Self.answer.utf8)], headers: [HeaderField("Traceparent", parent)])
        #expect(span.string("gateway.traceparent") == parent)
        #expect(span.object["traceId"] as? String == "0198f3a0000070008000000000000001")
        #expect(span.object["parentSpanId"] == nil)
    }

    @Test func `several choices are an array`() throws {
        let choices = [1, 2].map {
            #"{"index":\#($0),"message":{"role":"assistant","content":"\#($0)"},"finish_reason":"stop"}"#
        }
        let span = try SpanSample.span(answer: #"{"choices":[\#(choices.joined(separator: ","))]}"#)
        #expect(span.output == #"[{"role":"assistant","content":"1"},{"role":"assistant","content":"2"}]"#)
        #expect(span.strings("gen_ai.response.finish_reasons") == ["stop", "stop"])
        #expect(span.string("langfuse.observation.metadata.gateway_finish_reasons") == #"["stop","stop"]"#)
        #expect(span.string("langfuse.observation.usage_details") == nil)
    }

    /// A provider may give a name twice; that is no reason to lose the answer.
    @Test func `a name that is there twice does not hide the answer`() throws {
        let span = try SpanSample.span(
            answer: #"{"id":"a","id":"b","choices":[{"message":{"role":"assistant","content":"x","content":"x"}}]}"#)
        #expect(span.output == #"{"role":"assistant","content":"x","content":"x"}"#)
        #expect(span.string("gen_ai.response.id") == "a")
    }

    @Test func `an answer that is no JSON is said to be so`() throws {
        let span = try SpanSample.span(answer: [Array("<html>\u{1}".utf8) + [0xFF, 0xC3]], times: [1])
        #expect(span.output == "<html>\u{1}\u{FFFD}\u{FFFD}")
        #expect(span.level == "ERROR")
        #expect(span.message == "The provider's answer is not a JSON object.")
        #expect(span.statusCode == 2)
        #expect(try SpanSample.span(answer: []).message == "The provider's answer is empty.")
    }

    @Test func `a request that is no object is said to be so`() throws {
        #expect(
            try SpanSample.span(body: "[1]", answer: Self.answer).input
                == "[The request is not a JSON object: 3 bytes.]")
    }

    @Test func `a job of no rollout has no span`() throws {
        #expect(CompletionSpan(try Job.chat("openai/x")) == nil)
        #expect(CompletionSpan(try Job.chat("openai/x", path: "/embeddings", rollout: SpanSample.rollout)) == nil)
    }

    /// What runs holds the bytes that are sent, and no second copy of them.
    @Test func `the request is shared with the call`() throws {
        let job = try SpanSample.job(Self.body)
        let span = try #require(CompletionSpan(job))
        let target = Target(
            provider: "openai", request: UpstreamRequest(method: "POST", url: "", body: Array(Self.body.utf8)))
        span.recordRequest(target)
        let address = { (bytes: [UInt8]) in bytes.withUnsafeBufferPointer { $0.baseAddress } }
        #expect(address(span.body) == address(target.request.body))
    }

    /// 100,000 spans in a row are written the same; whatever a text holds, the span is JSON, and the text comes back.
    @Test(arguments: [1, 2, 3] as [UInt64]) func `the span is JSON, with any message`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieces = [
            "\\\"", "\\\\", "\\n", "\\u0000", "é", "漢", "😀", "\u{7F}", "\u{2028}", "a", " ", "\\ud83d\\ude00",
            "\\ud800", "{", "]", ",",
        ]
        for _ in 0..<300 {
            let text = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            let messages = "[\t{\"content\":\n\"\(text)\"}]"
            let message = "{\"role\":\"assistant\",\r\n\"content\":\"\(text)\"}"
            let span = try SpanSample.span(
                body: #"{"messages":\#(messages)}"#, answer: #"{"choices":[{"message":\#(message)}]}"#)
            #expect(span.input == #"{"messages":\#(messages)}"#)
            #expect(span.output == message)
        }
    }
}
