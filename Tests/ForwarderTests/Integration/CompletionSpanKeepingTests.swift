import Common
import Testing

@testable import Forwarder

/// What a forwarder leaves of its calls for the export.
@Suite(.timeLimit(.minutes(1))) struct CompletionSpanKeepingTests {
    private static let streamHead = "text/event-stream"
    private static let usage = #"data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"# + "\n\n"

    private func chunk(_ text: String) -> String { #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"\#(text)"}}],"usage":null}"# + "\n\n" }

    /// The span that was kept of a job, opened.
    private func span(of job: Job, in bench: ForwarderBench) async throws -> ReadSpan {
        let sealed = try #require(try await bench.redis.send(RedisCommand("GET", Keys.span(job.insertionID))).bytes)
        return try ReadSpan(try bench.envelope.open(sealed, for: .span(job.insertionID)))
    }

    /// Reads frames up to the last one.
    private func answer(to job: Job, in bench: ForwarderBench) async throws -> String {
        var body: [UInt8] = []
        while true {
            let frame = try await bench.answers.next(of: job)
            body += frame.body
            if frame.end != nil { return String(decoding: body, as: UTF8.self) }
        }
    }

    @Test func aCompletionIsKeptWithItsEnd() async throws {
        try await ForwarderBench.run { bench in
            try await bench.withForwarder { _ in
                let job = try await bench.enqueue()
                let call = try #require(await bench.upstream.next())
                #expect(!String(decoding: call.request.body, as: UTF8.self).contains("stream_options"))
                call.answer().send(#"{"choices":[{"message":{"role":"assistant","content":"x"}}]}"#).end()
                _ = try await answer(to: job, in: bench)
                let span = try await span(of: job, in: bench)
                #expect(span.output == #"{"role":"assistant","content":"x"}"#)
                #expect(span.string("gateway.provider") == "openai")
                #expect(span.string("gen_ai.request.model") == "gpt")
                #expect(span.level == nil)
                #expect(try await bench.length(Keys.traces(project: "local")) == 1)
            }
        }
    }

    @Test func aStreamTellsItsUsageToTheSpanAlone() async throws {
        try await ForwarderBench.run { bench in
            try await bench.withForwarder { _ in
                let job = try await bench.enqueue(isStream: true)
                let call = try #require(await bench.upstream.next())
                #expect(String(decoding: call.request.body, as: UTF8.self) == #"{"model":"gpt","stream_options":{"include_usage":true}}"#)
                call.answer(type: Self.streamHead).send(chunk("a")).send(chunk("b")).send(String(Self.usage.prefix(40)))
                call.send(String(Self.usage.dropFirst(40))).send("data: [DONE]\n\n").end()
                #expect(try await answer(to: job, in: bench) == chunk("a") + chunk("b") + "data: [DONE]\n\n")
                let span = try await span(of: job, in: bench)
                #expect(span.output == #"{"role":"assistant","content":"ab"}"#)
                #expect(span.string("langfuse.observation.usage_details") == #"{"input":3,"output":2,"total":5}"#)
                #expect(span.string("langfuse.observation.completion_start_time") != nil)
            }
        }
    }

    @Test func aFailureIsKeptAsOne() async throws {
        try await ForwarderBench.run { bench in
            try await bench.withForwarder { _ in
                let job = try await bench.enqueue()
                try #require(await bench.upstream.next()).answer(500).send(#"{"error":{"message":"no sk-client here"}}"#).end()
                _ = try await answer(to: job, in: bench)
                let span = try await span(of: job, in: bench)
                #expect(span.level == "ERROR")
                #expect(span.message == "HTTP 500: no [key] here")
                #expect(try await bench.members().isEmpty)
            }
        }
    }

    @Test func aStreamThatBreaksOffIsAFailure() async throws {
        try await ForwarderBench.run { bench in
            try await bench.withForwarder { _ in
                let job = try await bench.enqueue(isStream: true)
                let call = try #require(await bench.upstream.next())
                call.answer(type: Self.streamHead).send(chunk("a"))
                let first = try await bench.answers.next(of: job)
                #expect(first.body == Array(chunk("a").utf8), "an event that is not the usage is passed on at once")
                call.fail(.closedEarly, sent: true)
                _ = try await answer(to: job, in: bench)
                let span = try await span(of: job, in: bench)
                #expect(span.level == "ERROR")
                #expect(span.string("error.type") == "closed_early" || span.string("error.type") != nil)
                #expect(span.output == nil)
            }
        }
    }

    /// A provider that could not be reached is called again; what is kept is the call that was answered.
    @Test func theCallThatWasAnsweredIsTheOneThatIsKept() async throws {
        try await ForwarderBench.run { bench in
            try await bench.withForwarder { _ in
                let job = try await bench.enqueue()
                try #require(await bench.upstream.next()).fail(.connect, sent: false)
                try #require(await bench.upstream.next()).answer().send(#"{"choices":[{"message":{"content":"second"}}]}"#).end()
                _ = try await answer(to: job, in: bench)
                #expect(try await span(of: job, in: bench).output == #"{"content":"second"}"#)
                #expect(try await bench.length(Keys.traces(project: "local")) == 1)
            }
        }
    }
}
