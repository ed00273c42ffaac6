import Common
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// The span of a request that is kept out of the traces: it is there, and shows nothing of what was said.
@Suite struct WithheldSpanTests {
    private static let body = #"""
        {"model":"openai/gpt-x","temperature":0.5,"user":"canary","n":2,"seed":4711,"stop":["canary"],
        "messages":[{"role":"user","content":"canary"}],"tools":[{"type":"function","function":{"name":"canary"}}],
        "metadata":{"tags":["canary"],"trace_name":"canary","generation_name":"canary","trace_user_id":"canary",
        "x":"canary"},
        "response_format":{"type":"json_schema","json_schema":{"name":"canary"}}}
        """#
    private static let answer = #"""
        {"id":"chatcmpl-1","model":"gpt-x-1","system_fingerprint":"canary","citations":["canary"],
        "choices":[{"index":0,"finish_reason":"length","message":{"role":"assistant","content":"canary"}},
        {"index":1,"finish_reason":"canary","message":{"role":"assistant","content":"canary"}}],
        "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}
        """#
    private static let content = "langfuse.observation.metadata.gateway_content"

    private static func span(
        _ body: String = body, content: SpanContent = .withheld, _ act: (CompletionSpan) -> [UInt8]
    ) throws -> (ReadSpan, text: String) {
        let job = try SpanSample.job(body)
        let span = try #require(CompletionSpan(job, content: content))
        let request = UpstreamRequest(method: "POST", url: "https://provider.example", headers: [], body: job.body)
        span.recordRequest(Target(provider: "openai", model: "gpt-x", request: request))
        let failed = FailedAttempt(
            model: "azure/gpt-x", failure: .status(500), began: SpanSample.start, ended: SpanSample.start + 1)
        span.recordCall("openai/gpt-x", at: SpanSample.start + 2, after: [failed])
        let bytes = act(span)
        return (try ReadSpan(bytes), String(decoding: try SpanRecord(bytes).otlp, as: UTF8.self))
    }

    private static func answered(
        _ status: Int = 200, type: String = "application/json", answer: String = answer,
        content: SpanContent = .withheld
    ) throws -> (ReadSpan, text: String) {
        try span(content: content) { span in
            span.recordHead(UpstreamHead(status: status, headers: [HeaderField("Content-Type", type)]))
            span.take(Array(answer.utf8), at: SpanSample.start + 70)
            var check = CompletionCheck()
            check.take(Array(answer.utf8))
            return span.answered(check.end(), at: SpanSample.start + 1500)
        }
    }

    @Test func `it has ids, metadata, model, usage, status and times`() throws {
        let (span, text) = try Self.answered()
        #expect(!text.contains("canary") && !text.contains("4711"), "\(text)")
        #expect(span.string(Self.content) == "withheld" && span.input == nil && span.output == nil)
        let tags = span.strings("langfuse.trace.tags")
        #expect(tags?.first == "team:red" && tags?.count == 7)
        #expect(span.string("langfuse.trace.metadata")?.contains(#""team":"red""#) == true)
        #expect(span.string("langfuse.observation.model.name") == "gpt-x-1")
        #expect(span.integer("gen_ai.usage.input_tokens") == "3" && span.integer("gen_ai.usage.output_tokens") == "4")
        #expect(span.integer("http.response.status_code") == "200" && span.level == nil)
        #expect(span.strings("gen_ai.response.finish_reasons") == ["length"], "words of the API's alone")
        #expect(span.string("langfuse.observation.metadata.gateway_failed_attempts") == "azure/gpt-x: 500")
        #expect(span.object["startTimeUnixNano"] as? String != span.object["endTimeUnixNano"] as? String)
    }

    /// The same of a request that is not withheld has all of it, so the test above can fail.
    @Test func `a whole span shows it`() throws {
        let (span, text) = try Self.answered(content: .whole)
        #expect(span.string(Self.content) == nil && span.input?.contains("canary") == true)
        #expect(span.output?.contains("canary") == true && text.contains("4711"))
    }

    @Test(arguments: [
        (400, #"{"error":{"message":"canary is not allowed","code":"canary"}}"#, "400"), (500, "canary", "500"),
        (200, #"{"error":{"message":"canary"}}"#, "answer_error"), (200, "<p>canary</p>", "not_a_completion"),
    ])
    func `an error's words are withheld`(status: Int, answer: String, type: String) throws {
        let (span, text) = try Self.answered(status, type: "application/json; x=canary", answer: answer)
        #expect(!text.contains("canary"), "\(text)")
        #expect(span.level == "ERROR" && span.string("error.type") == type)
        #expect(span.message == "The message of `\(type)` is withheld.")
        #expect(span.status["message"] as? String == span.message)
    }

    @Test func `a stream is withheld, whole or broken off`() throws {
        let events = #"data: {"choices":[{"index":0,"delta":{"content":"canary"}}]}"# + "\n\n"
        let (whole, text) = try Self.answered(200, type: "text/event-stream", answer: events + "data: [DONE]\n\n")
        #expect(!text.contains("canary") && whole.output == nil)
        #expect(whole.string("langfuse.observation.completion_start_time") != nil)
        let (broken, rest) = try Self.span { span in
            span.recordHead(UpstreamHead(status: 200, headers: [HeaderField("content-type", "text/event-stream")]))
            span.take(Array(events.utf8), at: SpanSample.start)
            return span.failed(.invalidRequest(code: "closed_early", "The member `canary` was wrong."))
        }
        #expect(!rest.contains("canary") && broken.message == "The message of `closed_early` is withheld.")
    }

    /// A forwarder that does not know what to take out shows nothing.
    @Test func `what cannot be redacted is withheld`() throws {
        let contents = SpanContents()
        #expect(contents.content(for: .redacted(LogRedaction(presets: ["of a later version"]))).isWithheld)
        #expect(!contents.content(for: .redacted(LogRedaction(presets: ["email"]))).isWithheld)
        #expect(contents.content(for: .withheld).isWithheld && contents.content(for: .whole).word == nil)
    }

    /// It would carry any text of the client's.
    @Test(arguments: [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true), ("00-CANARY", false), ("a secret", false),
    ])
    func `a traceparent that is none is left out`(parent: String, isThere: Bool) throws {
        let job = try SpanSample.job(#"{"messages":[]}"#, headers: [HeaderField("traceparent", parent)])
        let span = try #require(CompletionSpan(job, content: .withheld))
        let read = try ReadSpan(span.answered(at: SpanSample.start))
        #expect(read.string("gateway.traceparent") == (isThere ? parent : nil))
    }
}
