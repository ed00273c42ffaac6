import Common
import TestSupport
import Testing

@testable import Forwarder

/// Jobs that nobody wants any longer, and readers that are slow.
@Suite(.timeLimit(.minutes(1))) struct CancellationTests {
    @Test func aJobCancelledBeforeItsStartIsNeverCalled() async throws {
        try await ForwarderBench.run { bench in
            let unwanted = try await bench.enqueue()
            try await JobNews(redis: bench.redis).cancel([unwanted.insertionID], life: .seconds(60))
            let job = try await bench.enqueue()
            // Old enough that the forwarder, which was not there to hear it, looks the marker up.
            _ = try await bench.redis.send(RedisCommand("BLPOP", "nothing", "0.06"))
            try await bench.withForwarder { forwarder in
                try #require(await bench.upstream.next()).answer().send("{}").end()
                #expect(try await bench.answers.next().id == job.insertionID)
                await forwarder.jobs.waitUntilEmpty()
                #expect(bench.upstream.count == 1)
                #expect(try await bench.members() == [job.insertionID.description])
                #expect(try await bench.length(Keys.jobs) == 0)
            }
        }
    }

    @Test(arguments: [false, true]) func aRunningCallIsAborted(_ hasBegun: Bool) async throws {
        try await ForwarderBench.run { bench in
            let job = try await bench.enqueue(isStream: true)
            try await bench.withForwarder { forwarder in
                let call = try #require(await bench.upstream.next())
                if hasBegun {
                    call.answer(type: "text/event-stream").send("data: 1\n\n")
                    _ = try await bench.answers.next(of: job)
                }
                try await JobNews(redis: bench.redis).cancel([job.insertionID], life: .seconds(60))
                await call.isLeft()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await bench.members().isEmpty)
                #expect(try await bench.length(Keys.jobs) == 0)
                #expect(try await bench.exists(Keys.started(job.insertionID)) == false)
                #expect(try await bench.length(job.responseKey) == (hasBegun ? 2 : 1), "nobody is answered")
                #expect(bench.upstream.count == 1)
            }
        }
    }

    /// OpenAI's SDKs close their connection when they have read `[DONE]`, and do not wait for the provider to end the answer.
    @Test func whoLeavesWhenAllWasSaidHasHadTheAnswer() async throws {
        try await ForwarderBench.run { bench in
            let job = try await bench.enqueue(isStream: true)
            try await bench.withForwarder { forwarder in
                let call = try #require(await bench.upstream.next())
                call.answer(type: "text/event-stream").send("data: {}\n\ndata: [DONE]\n\n")
                _ = try await bench.answers.next(of: job)
                try await JobNews(redis: bench.redis).cancel([job.insertionID], life: .seconds(60))
                await call.isLeft()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await bench.members() == [job.insertionID.description])
                #expect(try await bench.length(Keys.jobs) == 0)
            }
        }
    }

    /// Two frames of 6 bytes go beyond a window of 10; each further one needs its credit.
    @Test func aSlowReaderHoldsTheSenderUp() async throws {
        try await ForwarderBench.run { bench in
            let news = JobNews(redis: bench.redis)
            let job = try await bench.enqueue(isStream: true, window: 10)
            try await bench.withForwarder { forwarder in
                let call = try #require(await bench.upstream.next()).answer(type: "text/event-stream")
                for _ in 0..<4 { call.send("abcdef") }
                call.end()
                for sequence in 0..<2 as Range<UInt64> { #expect(try await bench.answers.next(of: job).sequence == sequence) }
                // Another job's whole way takes longer than a frame that is not held up.
                let other = try await bench.enqueue()
                try #require(await bench.upstream.next()).answer().send("{}").end()
                #expect(try await bench.answers.next().id == other.insertionID)
                try await news.credit(job.insertionID, bytes: 1, life: .seconds(60))
                try await news.credit(job.insertionID, bytes: 6, life: .seconds(60))
                #expect(try await bench.answers.next(of: job).sequence == 2)
                try await news.credit(job.insertionID, bytes: 24, life: .seconds(60))
                #expect(try await bench.answers.next(of: job).sequence == 3)
                #expect(try await bench.answers.next(of: job).end == .complete)
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    /// A piece may be larger than the window: a compressed answer, and one over HTTP/2, comes as large as it is. It leaves frame by frame all the same.
    @Test func aPieceBeyondTheWindowGoesOnAsItIsTaken() async throws {
        try await ForwarderBench.run { bench in
            let news = JobNews(redis: bench.redis)
            let frame = 256 << 10
            let job = try await bench.enqueue(isStream: true, window: frame)
            try await bench.withForwarder { forwarder in
                try #require(await bench.upstream.next()).answer(type: "text/event-stream").send(String(repeating: "x", count: 8 * frame)).end()
                for sequence in 0..<8 as Range<UInt64> {
                    #expect(try await bench.answers.next(of: job).sequence == sequence)
                    try await news.credit(job.insertionID, bytes: Int(sequence + 1) * frame, life: .seconds(60))
                }
                #expect(try await bench.answers.next(of: job).end == .complete)
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    /// The channel keeps nothing for a subscriber that is away. The key does.
    @Test(arguments: ["credit", "cancel"]) func newsThatWasMissedIsLookedUp(_ news: String) async throws {
        try await ForwarderBench.run { bench in
            let job = try await bench.enqueue(isStream: true, window: 1)
            try await bench.withForwarder { forwarder in
                let call = try #require(await bench.upstream.next()).answer(type: "text/event-stream").send("ab").send("cd")
                #expect(try await bench.answers.next(of: job).sequence == 0)
                let (key, value) = news == "credit" ? (Keys.credit(job.insertionID), "2") : (Keys.cancelled(job.insertionID), "1")
                _ = try await bench.redis.send(RedisCommand("SET", key, value))
                _ = try await bench.redis.send(RedisCommand("CLIENT", "KILL", "TYPE", "pubsub"))
                if news == "credit" {
                    #expect(try await bench.answers.next(of: job).sequence == 1)
                    try await JobNews(redis: bench.redis).cancel([job.insertionID], life: .seconds(60))
                }
                await call.isLeft()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await bench.members().isEmpty)
            }
        }
    }
}
