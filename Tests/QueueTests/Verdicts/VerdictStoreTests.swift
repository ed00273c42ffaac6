import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// A verdict is there for as long as the set is what it was.
@Suite(.timeLimit(.minutes(5))) struct VerdictStoreTests {
    private let key = Keys.verdict(of: Rollout("r", project: "local"))

    private func run(_ body: (QueueFixture, VerdictStore) async throws -> Void) async throws {
        try await QueueFixture.run { fixture in
            try await body(fixture, VerdictStore(redis: fixture.redis, keySpace: .local))
        }
    }

    private func verdict(_ kind: Verdict.Kind) -> Verdict {
        Verdict(
            rollout: Rollout("r", project: "local"), kind: kind, expected: 1, traced: 1, inFlight: 0, failed: 0,
            missing: [],
            checkedAt: 1000)
    }

    @Test func `a verdict is written and lives as long as the set`() async throws {
        try await run { fixture, store in
            _ = try await fixture.admission(ttl: .seconds(77)).enqueue(fixture.job(rollout: "r"))
            let beginning = try #require(try await store.begin(Rollout("r", project: "local")))
            #expect(beginning.expected == 1 && beginning.failed == 0)
            #expect(try await store.verdict(on: Rollout("r", project: "local"), now: 1000) == nil)
            #expect(try await store.write(verdict(.complete), mark: beginning.mark))
            #expect(
                try await store.verdict(on: Rollout("r", project: "local"), now: .distantFuture) == verdict(.complete))
            let life = try #require(try await fixture.send("TTL", key).int)
            #expect((70...77).contains(life))
            #expect(try await fixture.send("HKEYS", key).array?.count == Verdict.fieldNames.count)
        }
    }

    @Test func `a change of the set voids it and keeps a late one out`() async throws {
        try await run { fixture, store in
            _ = try await fixture.admission().enqueue(fixture.job(rollout: "r"))
            let early = try #require(try await store.begin(Rollout("r", project: "local")))
            let late = try #require(try await store.begin(Rollout("r", project: "local")))
            #expect(try await store.write(verdict(.complete), mark: early.mark))
            _ = try await fixture.admission().enqueue(fixture.job(rollout: "r"))
            #expect(try await store.verdict(on: Rollout("r", project: "local"), now: 1000) == nil)
            #expect(try await !store.write(verdict(.complete), mark: late.mark))
            #expect(try await store.verdict(on: Rollout("r", project: "local"), now: 1000) == nil)
        }
    }

    @Test func `a mark is good for one verdict`() async throws {
        try await run { fixture, store in
            _ = try await fixture.admission().enqueue(fixture.job(rollout: "r"))
            let beginning = try #require(try await store.begin(Rollout("r", project: "local")))
            #expect(try await store.write(verdict(.incomplete), mark: beginning.mark))
            #expect(try await !store.write(verdict(.complete), mark: beginning.mark))
        }
    }

    @Test func `who looks again leaves one mark`() async throws {
        try await run { fixture, store in
            _ = try await fixture.admission().enqueue(fixture.job(rollout: "r"))
            let mark = VerdictStore.Mark()
            for _ in 0..<3 { _ = try await store.begin(Rollout("r", project: "local"), mark: mark) }
            #expect(try await fixture.send("HLEN", key).int == 1)
            #expect(try await store.write(verdict(.complete), mark: mark))
        }
    }

    @Test func `who saw everything is not overruled`() async throws {
        try await run { fixture, store in
            _ = try await fixture.admission().enqueue(fixture.job(rollout: "r"))
            let (one, two) = (
                try #require(try await store.begin(Rollout("r", project: "local"))),
                try #require(try await store.begin(Rollout("r", project: "local")))
            )
            #expect(try await store.write(verdict(.complete), mark: one.mark))
            #expect(try await store.write(verdict(.incomplete), mark: two.mark))
            #expect(try await store.verdict(on: Rollout("r", project: "local"), now: .distantFuture)?.kind == .complete)
        }
    }

    @Test func `an unknown rollout and anothers key are none`() async throws {
        try await run { fixture, store in
            #expect(try await store.begin(Rollout("r", project: "local")) == nil)
            _ = try await fixture.send("SET", "r", "x")
            #expect(try await store.begin(Rollout("r", project: "local")) == nil)
            #expect(try await fixture.send("EXISTS", key).int == 0)
        }
    }

    @Test func `a rollout whose completions all failed is known`() async throws {
        try await run { fixture, store in
            _ = try await fixture.send("HSET", Keys.rolloutRecord(of: Rollout("r", project: "local")), "failed", 3)
            let beginning = try #require(try await store.begin(Rollout("r", project: "local")))
            #expect(beginning.expected == 0 && beginning.failed == 3)
        }
    }

    @Test func `marks of dead verifiers are cleared`() async throws {
        try await run { fixture, store in
            _ = try await fixture.admission().enqueue(fixture.job(rollout: "r"))
            for _ in 0..<(VerdictStore.mostFields + 50) { _ = try await store.begin(Rollout("r", project: "local")) }
            #expect(try #require(try await fixture.send("HLEN", key).int) <= VerdictStore.mostFields)
        }
    }
}
