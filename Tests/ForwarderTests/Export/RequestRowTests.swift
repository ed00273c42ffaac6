import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder
@testable import RequestLog

/// The row that the request log makes of a request's record.
@Suite struct RequestRowTests {
    private static let body =
        #"{"model":"openai/gpt-x","messages":[{"role":"user","content":"canary"}],"metadata":{"team":"body","x":"y"}}"#
    private static let answer = #"""
        {"id":"c1","model":"gpt-x-1","choices":[{"message":{"content":"canary"},"finish_reason":"length"}],"usage":{"prompt_tokens":7,
        "completion_tokens":3,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":1}}}
        """#

    private static func job() throws -> Job {
        var job = try SpanSample.job(body)
        (job.user, job.teams) = ("bob", ["red", "blué"])
        job.metadata.set("cost\"", to: "é", from: .gateway)
        job.rules = JobRules(hash: "0", limits: ["all"], others: ["mail"])
        job.route = Route([Route.Step("a/b", rule: "spread"), Route.Step("openai/gpt-x", rule: "spare")])
        return job
    }

    private static func target(_ job: Job) -> Target {
        Target(
            provider: "openai", model: "gpt-x",
            request: UpstreamRequest(method: "POST", url: "https://p.example", body: job.body))
    }

    private static func row(_ record: [UInt8]) throws -> RequestRow { RequestRow(try RecordTexts(record)) }

    /// A record in the one form or the other.
    @Test(arguments: [true, false]) func `a row says what is known`(isCompact: Bool) throws {
        let job = try Self.job()
        let span = try #require(CompletionSpan(job, isCompact: isCompact, isLogged: true))
        span.recordRequest(Self.target(job))
        let start = job.insertionID.time
        span.recordCall("a/b", at: start + 5, after: [])
        let failed = FailedAttempt(model: "a/b", failure: .status(500), began: start + 5, ended: start + 9)
        span.recordCall("openai/gpt-x", at: start + 10, after: [failed])
        span.recordHead(UpstreamHead(status: 200))
        span.take(Array(Self.answer.utf8), at: start + 70)
        let record = span.answered(at: start + 100)
        #expect((record.first == UInt8(ascii: "{")) != isCompact)
        let row = try Self.row(record)
        var wanted = RequestRow(id: job.insertionID, project: "p1", outcome: .succeeded, status: 200)
        (wanted.rollout, wanted.account, wanted.user, wanted.teams) = (
            SpanSample.rollout, "alice", "bob", ["red", "blué"]
        )
        wanted.metadata = [.init("team", "red", from: .header), .init("cost\"", "é", from: .gateway)]
        wanted.path = "/chat/completions"
        (wanted.modelAsked, wanted.modelServed) = ("openai/gpt-x", "gpt-x-1")
        (wanted.provider, wanted.target, wanted.finishReason) = ("openai", "openai/gpt-x", "length")
        (wanted.tokens.input, wanted.tokens.output, wanted.tokens.cached, wanted.tokens.reasoning) = (7, 3, 2, 1)
        (wanted.latency, wanted.queueWait, wanted.retries) = (100, 5, 1)
        wanted.rules = ["all", "mail", "spread", "spare"]
        (wanted.requestBytes, wanted.responseBytes) = (job.body.count, Self.answer.utf8.count)
        wanted.attempts = [
            SpanAttempt(number: 1, model: "a/b", failure: "500", began: start + 5, ended: start + 9),
            SpanAttempt(number: 2, model: "openai/gpt-x", failure: nil, began: start + 10, ended: start + 100),
        ]
        #expect(row == wanted, "\(row)")
    }

    /// A request without a span: a catch-all call, or one of a project that is not traced. It has no bodies.
    @Test func `a record has no bodies`() throws {
        var job = try Self.job()
        (job.rollout, job.path, job.isStream) = (nil, "/embeddings", true)
        let span = CompletionSpan(recordOf: job)
        span.recordRequest(Self.target(job))
        let start = job.insertionID.time
        span.recordCall("openai/gpt-x", at: start + 1, after: [])
        span.recordHead(UpstreamHead(status: 200))
        for event in [
            #"{"choices":[{"delta":{"content":"canary"}}]}"#, #"{"choices":[],"usage":{"completion_tokens":5}}"#,
        ] {
            span.take(Array("data: \(event)\n\n".utf8), at: start + 20)
        }
        let record = span.answered(at: start + 60)
        #expect(record.firstRange(of: Array("canary".utf8)) == nil)
        let row = try Self.row(record)
        #expect(row.rollout == nil && row.path == "/embeddings" && row.isStream)
        #expect(row.timeToFirstToken == 20 && row.interTokenLatency == 10 && row.tokens.output == 5)
        #expect(row.metadata.map(\.key) == ["team", "cost\""])
    }

    /// The ends that no provider's status tells.
    @Test func `an end of the gateway's own is told`() throws {
        let job = try Self.job()
        func row(_ act: (CompletionSpan) -> [UInt8]) throws -> RequestRow {
            try Self.row(act(try #require(CompletionSpan(job, isLogged: true))))
        }
        let cancelled = try row { $0.failed(.cancelled) }
        #expect(cancelled.outcome == .cancelled && cancelled.errorCode == "cancelled" && cancelled.status == 410)
        #expect(cancelled.queueWait == nil && cancelled.attempts.isEmpty && cancelled.modelServed == nil)
        let expired = try row { $0.failed(.expired) }
        #expect(expired.outcome == .failed && expired.errorCode == "expired_in_queue" && expired.status == 504)
        let dead = try row { span in
            span.summary?.ending = "dead_lettered"
            span.summary?.lostCalls = 3
            return span.failed(.expired)
        }
        #expect(dead.outcome == .deadLettered && dead.attempts.map(\.failure) == ["lost", "lost", "lost"])
        #expect(dead.attempts.map(\.number) == [1, 2, 3] && dead.retries == 2)
        let refused = try row { span in
            span.recordCall("openai/gpt-x", at: SpanSample.start, after: [])
            span.recordHead(UpstreamHead(status: 429))
            return span.answered()
        }
        #expect(refused.outcome == .failed && refused.status == 429 && refused.errorCode == "429")
    }

    /// A client's own metadata hides neither the ids nor the resolved metadata, however deep it is.
    @Test func `deep metadata hides nothing`() throws {
        var job = try Self.job()
        let deep = String(repeating: "[", count: 120) + String(repeating: "]", count: 120)
        job.body = Array(
            #"{"model":"openai/gpt-x","messages":[],"metadata":{"a":\#(deep),"rollout_id":"forged"}}"#.utf8)
        for isCompact in [true, false] {
            let span = try #require(CompletionSpan(job, isCompact: isCompact, isLogged: true))
            span.recordRequest(Self.target(job))
            let row = try Self.row(span.answered())
            #expect(row.rollout == SpanSample.rollout && row.metadata.map(\.key) == ["team", "cost\""])
        }
    }

    /// A path may hold a key, and be long.
    @Test func `a path is shown without secrets`() throws {
        var job = try Self.job()
        job.path = "/x/gsk_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT/" + String(repeating: "y", count: 9000)
        let row = try Self.row(CompletionSpan(recordOf: job).failed(.expired))
        #expect(row.path.hasPrefix("/x/[redacted]/yyy") && row.path.utf8.count < 600, "\(row.path)")
    }

    /// Without a log a span is as it was.
    @Test func `without a log a span says no more`() throws {
        let span = try #require(CompletionSpan(try Self.job()))
        #expect(try SpanRecord(span.answered()).text(.request) == nil)
    }

    @Test(arguments: [
        "", "{", "{}", "\u{1}", #"{"attributes":[{"key":"gateway.insertion_id","value":{"stringValue":"x"}}]}"#,
    ])
    func `what is no record is refused`(text: String) {
        #expect(throws: WireError.self) { try RecordTexts(Array(text.utf8)) }
    }

    @Test func `a summary is read as it was written`() {
        var summary = RequestSummary()
        (summary.status, summary.ending, summary.path, summary.user) = (201, "refused", "/\"é", "u\u{0}")
        (summary.teams, summary.rules, summary.target, summary.isStream) = (["", "a"], ["b"], "t", true)
        (summary.firstCall, summary.lostCalls) = (5, 2)
        (summary.requestBytes, summary.responseBytes) = (7, 8)
        #expect(RequestSummary(json: summary.json) == summary)
        #expect(RequestSummary(json: RequestSummary().json) == RequestSummary())
        #expect(RequestSummary(json: Array("[]".utf8)) == nil)
        #expect(RequestSummary(json: Array(#"{"status":"x","teams":3,"stream":1,"lost_calls":-1}"#.utf8))?.status == 0)
    }
}
