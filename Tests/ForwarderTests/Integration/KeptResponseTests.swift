import Common
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder
@testable import Queue

/// An answer that can be fetched, and the room for it.
@Suite(.timeLimit(.minutes(5))) struct KeptResponseTests {
    private func frames(of job: Job, _ fixture: ForwarderFixture) async throws -> [ResponseFrame] {
        let entries = try await fixture.redis.send(RedisCommand("XRANGE", job.responseKey, "-", "+")).array ?? []
        return try entries.map { entry in
            try ResponseFrame(
                wireBytes: fixture.envelope.open(entry[1][3].bytes ?? [], for: .frame(job.insertionID)))
        }
    }

    /// Answers a call with so many bytes in pieces, until the forwarder has ended it.
    private func answer(
        _ bytes: Int, within limit: Int, isStream: Bool = false, key: String? = "key",
        _ check: (ForwarderFixture, Job) async throws -> Void
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: isStream, window: .max, idempotencyKey: key)
            try await fixture.withForwarder(keptLimit: limit) { forwarder in
                let call = try #require(await fixture.upstream.next()).answer(
                    type: isStream ? "text/event-stream" : "application/json")
                let piece = String(repeating: "x", count: 50_000)
                for _ in 0..<bytes / 50_000 { call.send(piece) }
                call.end()
                await forwarder.jobs.waitUntilEmpty()
            }
            try await check(fixture, job)
        }
    }

    /// It is given up whole, its id leaves the set, and the client that fetches it is told; the call is not made again.
    @Test(arguments: [false, true]) func `an answer without room is given up`(isStream: Bool) async throws {
        try await answer(3_000_000, within: 1 << 20, isStream: isStream) { fixture, job in
            let left = try await frames(of: job, fixture)
            #expect(left.count == 1 && left[0].sequence == .max && left[0].head?.status == 507)
            guard case .brokenOff(let error)? = left.last?.end else {
                Issue.record("\(left)")
                return
            }
            #expect(error.code == "kept_bytes_full" && error.message.contains("KEPT_BYTES"))
            #expect(try await fixture.members().isEmpty)
            #expect(try await fixture.exists(try #require(job.idempotency?.key)), "it may have been paid for")
            #expect(try await KeptBytes.count(in: fixture.redis) < 10_000, "it leaves its room to others")
        }
    }

    /// Within what was set aside for it an answer needs no room, and beyond it what there is.
    @Test(arguments: [(200_000, 1), (3_000_000, 4 << 20)]) func `an answer with room is kept`(
        bytes: Int, limit: Int
    ) async throws {
        try await answer(bytes, within: limit) { fixture, job in
            let left = try await frames(of: job, fixture)
            #expect(left.last?.end == .complete)
            #expect(left.reduce(0) { $0 + $1.body.count } == bytes)
            let counted = try await KeptBytes.count(in: fixture.redis)
            let usage = try await fixture.redis.send(RedisCommand("MEMORY", "USAGE", job.responseKey, "SAMPLES", 0))
            let taken = try #require(usage.int)
            #expect(abs(counted - taken) * 20 <= taken, "\(counted) of \(taken)")
        }
    }

    /// The bound is for what is kept: an answer that its client waits for goes on.
    @Test func `an ordinary answer asks for no room`() async throws {
        try await answer(400_000, within: 1, key: nil) { fixture, job in
            let isCounted = try await fixture.exists(Keys.kept)
            #expect(!isCounted)
            let pending = try await fixture.length(Keys.jobs)
            #expect(pending == 0, "\(job.insertionID) has ended")
        }
    }
}
