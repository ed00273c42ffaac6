import TestSupport
import Testing

@testable import Common
@testable import Queue

/// How much is taken over at once (architecture §2.7): as many jobs as there are slots, and no more bytes than arrive
/// in time.
@Suite(.timeLimit(.minutes(5))) struct ClaimBoundTests {
    /// What `JobStream` lets one claim bring, give or take the job that passes it.
    private static let bytes = 16 << 20

    /// Jobs with bodies of these sizes, which a dead forwarder has left behind.
    private func withLeftovers(
        _ sizes: [Int], _ body: (QueueFixture, _ taker: JobStream) async throws -> Void
    ) async throws {
        try await QueueFixture.run { fixture in
            for size in sizes {
                _ = try await fixture.admission().enqueue(fixture.job(body: Array(repeating: 1, count: size)))
            }
            let (dead, taker) = try await (fixture.forwarder("dead"), fixture.forwarder("taker"))
            #expect(try await fixture.take(dead).count == sizes.count)
            try await dead.leave()
            try await body(fixture, taker)
        }
    }

    /// How many jobs each of the claims brings, until one brings none.
    private func claims(_ taker: JobStream, upTo limit: Int) async throws -> [Int] {
        var (running, counts): ([String], [Int]) = ([], [])
        while true {
            let claimed = try await taker.claim(upTo: limit, running: running)
            guard !claimed.isEmpty else { return counts }
            #expect(Set(running).isDisjoint(with: claimed.map(\.entry)))
            running += claimed.map(\.entry)
            counts.append(claimed.count)
        }
    }

    @Test(arguments: [
        // The third passes the bound.
        ([6 << 20, 6 << 20, 6 << 20, 6 << 20, 6 << 20], [3, 2]),
        // Two that are exactly the bound and what seals them pass it; a little less, and a third is taken.
        ([bytes / 2, bytes / 2, 1, 1], [2, 2]), ([bytes / 2 - 1000, bytes / 2 - 1000, 1, 1], [4]),
        // One that is more than the bound by itself.
        ([bytes + 1, 1, 1], [1, 2]),
    ])
    func `bytes bound a claim`(sizes: [Int], counts: [Int]) async throws {
        try await withLeftovers(sizes) { (_, taker) async throws in
            #expect(try await claims(taker, upTo: 100) == counts)
        }
    }

    @Test func `slots bound a claim`() async throws {
        try await withLeftovers(Array(repeating: 10, count: 7)) { (_, taker) async throws in
            #expect(try await claims(taker, upTo: 3) == [3, 3, 1])
        }
    }

    /// What the taker works on already neither counts nor hides what it lost behind it.
    @Test func `what runs takes no room`() async throws {
        try await withLeftovers([1, 1]) { fixture, taker in
            for _ in 0..<6 { _ = try await fixture.admission().enqueue(fixture.job()) }
            let given = try await fixture.take(taker)
            // 11 s ago, by Redis's own clock: as long as no answer takes.
            for delivery in given {
                try await fixture.send(
                    "XCLAIM", Keys.jobs, Keys.jobGroup, "taker", 0, delivery.entry, "IDLE", 11_000, "RETRYCOUNT", 1,
                    "JUSTID")
            }
            let running = given.prefix(4).map(\.entry)
            let first = try await taker.claim(upTo: 3, running: running)
            let second = try await taker.claim(upTo: 3, running: running + first.map(\.entry))
            #expect(first.count == 3 && second.count == 1)
            let claimed = Set((first + second).map(\.entry))
            #expect(claimed.isSuperset(of: given.suffix(2).map(\.entry)) && claimed.isDisjoint(with: running))
        }
    }
}
