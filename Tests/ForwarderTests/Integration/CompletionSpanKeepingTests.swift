import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// What a forwarder leaves of its calls for the export.
@Suite(.timeLimit(.minutes(5))) struct CompletionSpanKeepingTests {
    private static let streamHead = "text/event-stream"
    private static let usage =
        #"data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"# + "\n\n"

    private func chunk(_ text: String) -> String {
        #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"\#(text)"}}],"usage":null}"# + "\n\n"
    }

    /// Reads frames up to the last one.
    private func answer(to job: Job, in fixture: ForwarderFixture) async throws -> String {
        var body: [UInt8] = []
        while true {
            let frame = try await fixture.answers.next(of: job)
            body += frame.body
            if frame.end != nil { return String(decoding: body, as: UTF8.self) }
        }
    }

    @Test func `a completion is kept with its end`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { _ in
                let job = try await fixture.enqueue()
                let call = try #require(await fixture.upstream.next())
                #expect(!String(decoding: call.request.body, as: UTF8.self).contains("stream_options"))
                call.answer().send(#"{"choices":[{"message":{"role":"assistant","content":"x"}}]}"#).end()
                _ = try await answer(to: job, in: fixture)
                let span = try await fixture.span(of: job)
                #expect(span.output == #"{"role":"assistant","content":"x"}"#)
                #expect(span.string("gateway.provider") == "openai")
                #expect(span.string("gen_ai.request.model") == "gpt")
                #expect(span.level == nil)
                #expect(try await fixture.length(Keys.traces(project: "local")) == 1)
            }
        }
    }

    /// Exporters of version 0.1.0 may send it, unless it goes to the trace store of this process.
    @Test func `where others may send it it is OTLP`() async throws {
        try await ForwarderFixture.run { fixture in
            for isCompact in [false, true] {
                try await fixture.withForwarder(isCompact: isCompact) { _ in
                    let job = try await fixture.enqueue()
                    try #require(await fixture.upstream.next()).answer().send(
                        #"{"choices":[{"message":{"role":"assistant","content":"x"}}]}"#
                    ).end()
                    _ = try await answer(to: job, in: fixture)
                    let sealed = try #require(
                        try await fixture.redis.send(RedisCommand("GET", Keys.span(job.insertionID))).bytes)
                    #expect(sealed.first == (isCompact ? 2 : 1))
                    let span = try fixture.envelope.open(sealed, for: .span(job.insertionID))
                    #expect(span.first == (isCompact ? SpanRecord.form : UInt8(ascii: "{")))
                    #expect(try await fixture.span(of: job).output == #"{"role":"assistant","content":"x"}"#)
                }
            }
        }
    }

    /// The exporter of the process need not read it back.
    @Test func `it is at hand once it is kept`() async throws {
        try await ForwarderFixture.run { fixture in
            let spans = RecentSpans()
            try await fixture.withForwarder(spans: spans) { forwarder in
                let job = try await fixture.enqueue()
                let call = try #require(await fixture.upstream.next())
                #expect(spans.take(job.insertionID) == nil)
                call.answer().send(#"{"choices":[{"message":{"role":"assistant","content":"x"}}]}"#).end()
                try await eventually { forwarder.jobs.entries.isEmpty }
                let sealed = try #require(
                    try await fixture.redis.send(RedisCommand("GET", Keys.span(job.insertionID))).bytes)
                #expect(spans.take(job.insertionID) == (try fixture.envelope.open(sealed, for: .span(job.insertionID))))
                #expect(spans.take(job.insertionID) == nil)
            }
        }
    }

    /// Another forwarder has the job by now, and writes its own span: this one's does not count.
    @Test func `a span of a late owner is not at hand`() async throws {
        try await ForwarderFixture.run { fixture in
            let spans = RecentSpans()
            try await fixture.withForwarder(spans: spans) { forwarder in
                let job = try await fixture.enqueue()
                let call = try #require(await fixture.upstream.next())
                let queue = WorkQueue.completions
                let entry = try #require(forwarder.jobs.entries.first)
                _ = try await fixture.redis.send(RedisCommand("XCLAIM", queue.stream, queue.group, "other", 0, entry))
                call.answer().send(#"{"choices":[{"message":{"role":"assistant","content":"x"}}]}"#).end()
                try await eventually { forwarder.jobs.entries.isEmpty }
                #expect(spans.take(job.insertionID) == nil)
                #expect(try await !fixture.exists(Keys.span(job.insertionID)))
            }
        }
    }

    @Test func `a stream tells its usage to the span alone`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { _ in
                let job = try await fixture.enqueue(isStream: true)
                let call = try #require(await fixture.upstream.next())
                #expect(
                    String(decoding: call.request.body, as: UTF8.self)
                        == #"{"model":"gpt","stream_options":{"include_usage":true}}"#)
                call.answer(type: Self.streamHead).send(chunk("a")).send(chunk("b")).send(String(Self.usage.prefix(40)))
                call.send(String(Self.usage.dropFirst(40))).send("data: [DONE]\n\n").end()
                #expect(try await answer(to: job, in: fixture) == chunk("a") + chunk("b") + "data: [DONE]\n\n")
                let span = try await fixture.span(of: job)
                #expect(span.output == #"{"role":"assistant","content":"ab"}"#)
                #expect(span.string("langfuse.observation.usage_details") == #"{"input":3,"output":2,"total":5}"#)
                #expect(span.string("langfuse.observation.completion_start_time") != nil)
            }
        }
    }

    /// The provider's label of a stream may be wrong or missing; the event that the client did not ask for is none of
    /// its business all the same.
    @Test(arguments: ["application/json", "text/plain", "application/octet-stream", "text/event-stream", ""])
    func `a stream under any label tells its usage to the span alone`(label: String) async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { _ in
                let job = try await fixture.enqueue(isStream: true)
                let call = try #require(await fixture.upstream.next())
                call.answer(type: label).send(chunk("a")).send(String(Self.usage.prefix(40)))
                call.send(String(Self.usage.dropFirst(40))).send("data: [DONE]\n\n").end()
                #expect(try await answer(to: job, in: fixture) == chunk("a") + "data: [DONE]\n\n")
                let span = try await fixture.span(of: job)
                #expect(span.output == #"{"role":"assistant","content":"a"}"#)
                #expect(span.string("langfuse.observation.usage_details") == #"{"input":3,"output":2,"total":5}"#)
                #expect(span.level == (label == "text/event-stream" ? nil : "WARNING"))
            }
        }
    }

    /// What is not a stream passes as it came, although the event was asked for.
    @Test(arguments: [
        #"{"choices":[],"usage":{"total_tokens":1}}"#, "{\n  \"choices\": [],\r\n\r\n  \"usage\": {}\n}\n", "data",
        "id: x", "plain\n\ntext", "",
    ])
    func `a body in a stream's place passes whole`(body: String) async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { _ in
                let job = try await fixture.enqueue(isStream: true)
                let call = try #require(await fixture.upstream.next())
                call.answer(type: "application/json").send(String(body.prefix(7))).send(String(body.dropFirst(7))).end()
                #expect(try await answer(to: job, in: fixture) == body)
            }
        }
    }

    @Test func `a failure is kept as one`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { _ in
                let job = try await fixture.enqueue()
                try #require(await fixture.upstream.next()).answer(500).send(
                    #"{"error":{"message":"no sk-client here"}}"#
                ).end()
                _ = try await answer(to: job, in: fixture)
                let span = try await fixture.span(of: job)
                #expect(span.level == "ERROR")
                #expect(span.message == "HTTP 500: no [key] here")
                #expect(try await fixture.members().isEmpty)
            }
        }
    }

    /// Bytes and status stay as they are, and the completion counts as failed.
    @Test(arguments: [
        (
            streamHead,
            #"data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}"# + "\n\n"
                + #"data: {"error":{"message":"engine died"}}"# + "\n\n",
            "engine died", "stream_error"
        ),
        (
            streamHead, #"data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}"# + "\n\n",
            "The provider's stream ended without a finish reason and without [DONE].", "stream_truncated"
        ),
        ("application/json", #"{"error":{"message":"engine died"}}"#, "engine died", "answer_error"),
        ("application/json", "", "The provider's answer is empty.", "empty_answer"),
        ("text/html", "<html>", "The provider's answer is not a JSON object.", "not_a_completion"),
    ])
    func `a failure within a success is a failure`(
        type: String, body: String, message: String, code: String
    ) async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { forwarder in
                let job = try await fixture.enqueue(isStream: type == Self.streamHead)
                try #require(await fixture.upstream.next()).answer(type: type).send(body).end()
                #expect(try await answer(to: job, in: fixture) == body)
                await forwarder.jobs.waitUntilEmpty()
                let span = try await fixture.span(of: job)
                #expect(span.level == "ERROR")
                #expect(span.message == message)
                #expect(span.string("error.type") == code)
                #expect(try await fixture.members().isEmpty)
            }
        }
    }

    @Test func `a stream that breaks off is a failure`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { _ in
                let job = try await fixture.enqueue(isStream: true)
                let call = try #require(await fixture.upstream.next())
                call.answer(type: Self.streamHead).send(chunk("a"))
                let first = try await fixture.answers.next(of: job)
                #expect(first.body == Array(chunk("a").utf8), "an event that is not the usage is passed on at once")
                call.fail(.closedEarly, sent: true)
                _ = try await answer(to: job, in: fixture)
                let span = try await fixture.span(of: job)
                #expect(span.level == "ERROR")
                #expect(span.string("error.type") == "closed_early" || span.string("error.type") != nil)
                #expect(span.output == #"{"role":"assistant","content":"a"}"#, "what came stays in the trace")
            }
        }
    }

    /// A provider that could not be reached is called again; what is kept is the call that was answered.
    @Test func `the call that was answered is the one that is kept`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { _ in
                let job = try await fixture.enqueue()
                try #require(await fixture.upstream.next()).fail(.connect, sent: false)
                try #require(await fixture.upstream.next()).answer().send(
                    #"{"choices":[{"message":{"content":"second"}}]}"#
                ).end()
                _ = try await answer(to: job, in: fixture)
                #expect(try await fixture.span(of: job).output == #"{"content":"second"}"#)
                #expect(try await fixture.length(Keys.traces(project: "local")) == 1)
            }
        }
    }
}
