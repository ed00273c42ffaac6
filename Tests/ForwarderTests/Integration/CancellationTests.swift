import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Jobs that nobody wants any longer, and readers that are slow.
@Suite(.timeLimit(.minutes(5))) struct CancellationTests {
    @Test func `a job cancelled before its start is never called`() async throws {
        try await ForwarderFixture.run { fixture in
            let unwanted = try await fixture.enqueue()
            try await JobSignals(redis: fixture.redis).cancel(unwanted.insertionID, life: .seconds(300))
            let job = try await fixture.enqueue()
            // Old enough that the forwarder, which was not there to hear it, looks the marker up.
            _ = try await fixture.redis.send(RedisCommand("BLPOP", "nothing", "0.06"))
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next().id == job.insertionID)
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 1)
                #expect(try await fixture.members() == [job.insertionID.description])
                #expect(try await fixture.length(Keys.jobs) == 0)
            }
        }
    }

    @Test(arguments: [false, true]) func `a running call is aborted`(_ hasBegun: Bool) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                if hasBegun {
                    call.answer(type: "text/event-stream").send("data: 1\n\n")
                    _ = try await fixture.answers.next(of: job)
                }
                try await JobSignals(redis: fixture.redis).cancel(job.insertionID, life: .seconds(300))
                await call.isLeft()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await fixture.members().isEmpty)
                #expect(try await fixture.length(Keys.jobs) == 0)
                #expect(try await fixture.exists(Keys.started(job.insertionID)) == false)
                #expect(try await fixture.length(job.responseKey) == (hasBegun ? 2 : 1), "no client is answered")
                #expect(fixture.upstream.count == 1)
            }
        }
    }

    /// How much of a stream came before its client left, and how much of that the client had.
    struct Departure: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var stream: String
        /// Bytes; nil if the ingress does not say, as version 0.1.0 does not.
        var handedOver: Int?
        var n = 1
        var succeeds: Bool
    }

    private static let part = #"data: {"choices":[{"index":0,"delta":{"content":"x"}}]}"# + "\n\n"
    private static let stop = #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\n"
    private static let whole = part + stop + "data: [DONE]\n\n"
    private static let finished = (part + stop).utf8.count

    /// OpenAI's SDKs close their connection when they have read `[DONE]`, and others when they have read the finish
    /// reason.
    @Test(arguments: [
        Departure(testDescription: "with the finish reason", stream: part + stop, handedOver: finished, succeeds: true),
        Departure(
            testDescription: "with all but the last blank line", stream: part + stop, handedOver: finished - 1,
            succeeds: true),
        Departure(testDescription: "with [DONE]", stream: whole, handedOver: whole.utf8.count, succeeds: true),
        Departure(testDescription: "before it had [DONE]", stream: whole, handedOver: finished, succeeds: true),
        Departure(
            testDescription: "with [DONE] and no finish reason", stream: part + "data: [DONE]\n\n", handedOver: 1 << 20,
            succeeds: true),
        Departure(
            testDescription: "with [DONE], from an ingress that does not count", stream: whole, handedOver: nil,
            succeeds: true),
        Departure(testDescription: "in the middle", stream: part, handedOver: part.utf8.count, succeeds: false),
        Departure(
            testDescription: "before it had the finish reason", stream: part + stop, handedOver: part.utf8.count,
            succeeds: false),
        Departure(testDescription: "before it had anything", stream: whole, handedOver: 0, succeeds: false),
        Departure(
            testDescription: "with one of two choices", stream: part + stop, handedOver: finished, n: 2, succeeds: false
        ),
        Departure(
            testDescription: "with an error", stream: part + "data: {\"error\":\"died\"}\n\n" + stop,
            handedOver: 1 << 20, succeeds: false),
        Departure(
            testDescription: "finished, from an ingress that does not count", stream: part + stop, handedOver: nil,
            succeeds: false),
    ])
    func `a client that has the whole answer has succeeded`(_ departure: Departure) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true, body: #"{"model":"openai/gpt","n":\#(departure.n)}"#)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                call.answer(type: "text/event-stream").send(departure.stream)
                _ = try await fixture.answers.next(of: job)
                try await JobSignals(redis: fixture.redis).cancel(
                    job.insertionID, handedOver: departure.handedOver, life: .seconds(300))
                await call.isLeft()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await fixture.members() == (departure.succeeds ? [job.insertionID.description] : []))
                #expect(try await fixture.length(Keys.jobs) == 0)
                let span = try await fixture.span(of: job)
                #expect(span.level == (departure.succeeds ? nil : "ERROR"))
                #expect(span.output == #"{"role":"assistant","content":"x"}"#, "what came stays in the trace")
            }
        }
    }

    /// The end of the connection says nothing that `[DONE]` has not said.
    @Test(arguments: [true, false]) func `a connection that breaks behind the end breaks nothing`(
        _ hasEnd: Bool
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                call.answer(type: "text/event-stream").send(hasEnd ? Self.whole : Self.part + Self.stop)
                _ = try await fixture.answers.next(of: job)
                call.fail(.closedEarly, sent: true)
                let end = try await fixture.answers.next(of: job).end
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await fixture.members().isEmpty == !hasEnd)
                #expect((end == .complete) == hasEnd, "a client that is told of an error must not count as answered")
            }
        }
    }

    /// Two frames of 6 bytes go beyond a window of 10; each further one needs its credit.
    @Test func `a slow reader holds the sender up`() async throws {
        try await ForwarderFixture.run { fixture in
            let news = JobSignals(redis: fixture.redis)
            let job = try await fixture.enqueue(isStream: true, window: 10)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next()).answer(type: "text/event-stream")
                for sequence in 0..<2 as Range<UInt64> {
                    call.send("abcdef")
                    #expect(try await fixture.answers.next(of: job).sequence == sequence)
                }
                call.send("abcdef")
                // Another job's whole way takes longer than a frame that is not held up.
                let other = try await fixture.enqueue()
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next().id == other.insertionID)
                try await news.credit(job.insertionID, bytes: 1, life: .seconds(300))
                try await news.credit(job.insertionID, bytes: 6, life: .seconds(300))
                #expect(try await fixture.answers.next(of: job).sequence == 2)
                call.send("abcdef").end()
                try await news.credit(job.insertionID, bytes: 24, life: .seconds(300))
                #expect(try await fixture.answers.next(of: job).sequence == 3)
                #expect(try await fixture.answers.next(of: job).end == .complete)
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    /// A piece may be larger than the window: a compressed answer, and one over HTTP/2, comes as large as it is. It
    /// leaves frame by frame all the same.
    @Test func `a piece beyond the window goes on as it is taken`() async throws {
        try await ForwarderFixture.run { fixture in
            let news = JobSignals(redis: fixture.redis)
            let frame = 256 << 10
            let job = try await fixture.enqueue(isStream: true, window: frame)
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send(
                    String(repeating: "x", count: 8 * frame)
                ).end()
                for sequence in 0..<8 as Range<UInt64> {
                    #expect(try await fixture.answers.next(of: job).sequence == sequence)
                    try await news.credit(job.insertionID, bytes: Int(sequence + 1) * frame, life: .seconds(300))
                }
                #expect(try await fixture.answers.next(of: job).end == .complete)
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    /// The ingress of a killed reader cancels nothing: without an end the job would hold its slot and its entry for
    /// ever.
    @Test(arguments: [false, true]) func `a reader that says nothing more is waited for until the deadline`(
        hasEnded: Bool
    ) async throws {
        try await ForwarderFixture.run { fixture in
            // The call has to begin before, also on a busy machine.
            let deadline = Deadline(in: .seconds(30))
            let job = try await fixture.enqueue(isStream: true, window: 1, deadline: deadline)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next()).answer(type: "text/event-stream")
                call.send(Self.part).send(Self.stop).send("data: [DONE]\n\n")
                if hasEnded { call.end() }
                #expect(try await fixture.answers.next(of: job).sequence == 0)
                await forwarder.jobs.waitUntilEmpty()
                #expect(deadline.isOver())
                #expect(try await fixture.members().isEmpty, "the client cannot have the whole answer")
                #expect(try await fixture.length(Keys.jobs) == 0)
                #expect(try await fixture.span(of: job).level == "ERROR")
            }
        }
    }

    /// The channel keeps nothing for a subscriber that is away. The key does.
    @Test(arguments: ["credit", "cancel"]) func `news that was missed is looked up`(_ news: String) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true, window: 1)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send("ab")
                    .send(
                        "cd")
                #expect(try await fixture.answers.next(of: job).sequence == 0)
                let (key, value) =
                    news == "credit" ? (Keys.credit(job.insertionID), "2") : (Keys.cancelled(job.insertionID), "1")
                _ = try await fixture.redis.send(RedisCommand("SET", key, value))
                _ = try await fixture.redis.send(RedisCommand("CLIENT", "KILL", "TYPE", "pubsub"))
                if news == "credit" {
                    #expect(try await fixture.answers.next(of: job).sequence == 1)
                    try await JobSignals(redis: fixture.redis).cancel(job.insertionID, life: .seconds(300))
                }
                await call.isLeft()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await fixture.members().isEmpty)
            }
        }
    }
}
