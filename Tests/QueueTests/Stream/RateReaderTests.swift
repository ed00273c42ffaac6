import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// Counters of rate limits that are only looked at.
@Suite(.timeLimit(.minutes(5))) struct RateReaderTests {
    private func charge(_ counter: String, amount: Int = 1, limit: Int) -> RateCharge {
        RateCharge(rule: counter, counter: counter, amount: amount, limit: limit, window: 60_000, isEnforced: true)
    }

    /// What is read is what the next job would meet, and everything in Redis is as before.
    @Test func `reading counts nothing`() async throws {
        try await QueueFixture.run { fixture in
            var job = fixture.job()
            job.charges = [charge("a", amount: 3, limit: 4), charge("b", limit: 9)]
            _ = try await fixture.enqueue([job])
            let before = try await fixture.dump()
            let reader = RateReader(redis: fixture.redis)
            for _ in 0..<20 {
                let usage = try await reader.usage(of: [
                    charge("a", amount: 1, limit: 4), charge("a", amount: 2, limit: 4), charge("never", limit: 1),
                ])
                #expect(usage.map(\.used) == [3, 3, 0])
                #expect(usage[2].reset == 0 && usage[..<2].allSatisfy { (1...60_000).contains($0.reset) })
            }
            #expect(try await reader.usage(of: []).isEmpty)
            #expect(try await fixture.dump() == before)
            job = fixture.job()
            job.charges = [charge("a", amount: 2, limit: 4)]
            let outcome = try await fixture.enqueue([job]).map { try $0.get().outcome }
            guard case .overLimit(charge: 0, let usage) = outcome[0] else { throw Unexpected() }
            #expect(usage.used == 3)
        }
    }

    private struct Unexpected: Error {}

    /// A time that has left its window is left where it is, and does not count.
    @Test func `what is over is not taken away`() async throws {
        try await QueueFixture.run { fixture in
            for (slot, amount) in [(1000, 5), (2000, 6)] {
                try await fixture.send("RPUSH", Keys.rateSlots("old"), slot)
                try await fixture.send("HSET", Keys.rateAmounts("old"), slot, amount, "sum", 11, "oldest", 1000)
            }
            let before = try await fixture.dump()
            let usage = try await RateReader(redis: fixture.redis).usage(of: [charge("old", limit: 5)])
            #expect(usage == [RateUsage(used: 0, reset: 0)])
            #expect(try await fixture.dump() == before)
        }
    }

    /// The server itself forbids the script to write.
    @Test func `the server refuses a write of the script`() async throws {
        try await QueueFixture.run { fixture in
            let source = JobScripts.usage.source.replacing("local result = {}", with: "redis.call('SET', 'x', 1)")
            let error = await #expect(throws: RedisError.self) {
                try await fixture.redis.send(RedisCommand("EVAL", source, 0))
            }
            #expect(error?.message.contains("not allowed") == true, "\(String(describing: error))")
        }
    }
}
