import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// Architecture §2.4: the jobs of a dead forwarder go to the others; those of a live one never do.
@Suite(.timeLimit(.minutes(5))) struct TakeoverTests {
    private func consumers(_ fixture: QueueFixture) async throws -> Set<String> {
        Set(
            (try await fixture.send("XINFO", "CONSUMERS", Keys.jobs, Keys.jobGroup).array ?? []).compactMap {
                $0[1].string
            })
    }

    @Test func `takes from the dead and not from the living`() async throws {
        try await QueueFixture.run { fixture in
            let (dead, living, taker) = try await (
                fixture.forwarder("dead"), fixture.forwarder("living"), fixture.forwarder("taker")
            )
            let jobs = (0..<4).map { _ in fixture.job() }
            for job in jobs { _ = try await fixture.admission().enqueue(job) }
            let lost = try await fixture.take(dead, upTo: 2)
            _ = try await fixture.take(living, upTo: 2)
            #expect(try await taker.claim(upTo: 10, running: []).isEmpty)
            try await dead.leave()
            let claimed = try await taker.claim(upTo: 10, running: [])
            #expect(claimed.map(\.entry) == lost.map(\.entry))
            #expect(claimed.allSatisfy { $0.count == 2 && $0.isTakenOver })
            #expect(try claimed.map { try $0.job(opening: fixture.envelope) } == Array(jobs[..<2]))
            #expect(try await taker.claim(upTo: 10, running: claimed.map(\.entry)).isEmpty)
        }
    }

    /// A question that waited in the socket of a frozen server is answered when every liveness key has run out, the
    /// living's too.
    @Test func `an old question takes nothing`() async throws {
        try await QueueFixture.run { fixture in
            _ = try await fixture.admission().enqueue(fixture.job())
            let (dead, taker) = try await (fixture.forwarder("dead"), fixture.forwarder("taker"))
            let lost = try await fixture.take(dead)
            try await dead.leave()
            #expect(try await taker.claim(upTo: 10, running: [], now: Timestamp.now - .milliseconds(2500)).isEmpty)
            #expect(try await taker.claim(upTo: 10, running: []).map(\.entry) == lost.map(\.entry))
        }
    }

    @Test func `counts each death`() async throws {
        try await QueueFixture.run { fixture in
            _ = try await fixture.admission().enqueue(fixture.job())
            let first = try await fixture.forwarder("0")
            #expect(try await fixture.take(first).map(\.count) == [1])
            try await first.leave()
            for death in 1...4 {
                let next = try await fixture.forwarder("\(death)")
                #expect(try await next.claim(upTo: 1, running: []).map(\.count) == [death + 1])
                try await next.leave()
            }
        }
    }

    @Test func `takes no more than there is room for`() async throws {
        try await QueueFixture.run { fixture in
            for _ in 0..<5 { _ = try await fixture.admission().enqueue(fixture.job()) }
            let (one, two) = try await (fixture.forwarder("one"), fixture.forwarder("two"))
            _ = try await fixture.take(one, upTo: 3)
            _ = try await fixture.take(two, upTo: 2)
            try await one.leave()
            try await two.leave()
            let taker = try await fixture.forwarder("taker")
            var running: [String] = []
            for expected in [4, 1, 0] {
                let claimed = try await taker.claim(upTo: 4, running: running)
                #expect(claimed.count == expected)
                running += claimed.map(\.entry)
            }
            #expect(Set(running).count == 5)
        }
    }

    @Test func `forgets the dead that left nothing`() async throws {
        try await QueueFixture.run { fixture in
            let dead = try await fixture.forwarder("dead")
            let living = try await fixture.forwarder("living")
            _ = try await fixture.admission().enqueue(fixture.job())
            _ = try await fixture.take(dead)
            try await dead.leave()
            _ = try await living.claim(upTo: 1, running: [])
            #expect(
                try await consumers(fixture) == ["dead", "living"],
                "what it left was taken in this turn; it goes in the next")
            _ = try await living.claim(upTo: 1, running: [])
            #expect(try await consumers(fixture) == ["living"])
        }
    }

    /// Redis gave a job to this forwarder and the connection broke on the way: nobody else may take it, so it must find
    /// it itself.
    @Test func `finds what was given and never arrived`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            for _ in 0..<3 { _ = try await fixture.admission().enqueue(fixture.job()) }
            let read = try await fixture.take(stream)
            #expect(try await stream.claim(upTo: 10, running: []).isEmpty, "an answer of Redis may still be on its way")
            // 11 s ago, by Redis's own clock: as long as no answer takes.
            for delivery in read {
                try await fixture.send(
                    "XCLAIM", Keys.jobs, Keys.jobGroup, "one", 0, delivery.entry, "IDLE", 11_000, "RETRYCOUNT", 1,
                    "JUSTID")
            }
            let found = try await stream.claim(upTo: 10, running: [read[0].entry, read[2].entry])
            #expect(
                found.map(\.entry) == [read[1].entry] && found.map(\.count) == [2] && found.allSatisfy(\.isTakenOver))
            #expect(try await stream.claim(upTo: 10, running: [read[0].entry, read[2].entry]).isEmpty, "once each")
        }
    }

    @Test func `handing back does not count`() async throws {
        try await QueueFixture.run { fixture in
            let (one, two) = try await (fixture.forwarder("one"), fixture.forwarder("two"))
            for _ in 0..<3 { _ = try await fixture.admission().enqueue(fixture.job()) }
            let read = try await fixture.take(one)
            for _ in 0..<3 {
                try await one.release(read[..<2].map(\.entry))
                let claimed = try await two.claim(upTo: 10, running: [])
                #expect(claimed.map(\.entry) == read[..<2].map(\.entry))
                #expect(claimed.allSatisfy { $0.count == 1 && $0.isTakenOver })
                try await two.release(claimed.map(\.entry))
                #expect(try await one.claim(upTo: 10, running: [read[2].entry]).map(\.count) == [1, 1])
            }
        }
    }

    /// An entry that was deleted while it was pending is not a job any longer.
    @Test func `passes over a deleted entry`() async throws {
        try await QueueFixture.run { fixture in
            let dead = try await fixture.forwarder("dead")
            for _ in 0..<2 { _ = try await fixture.admission().enqueue(fixture.job()) }
            let read = try await fixture.take(dead)
            try await fixture.send("XDEL", Keys.jobs, read[0].entry)
            try await dead.leave()
            let taker = try await fixture.forwarder("taker")
            #expect(try await taker.claim(upTo: 10, running: []).map(\.entry) == [read[1].entry])
        }
    }

    @Test func `counts the living forwarders`() async throws {
        try await QueueFixture.run { fixture in
            func living() async throws -> Int? {
                try await fixture.redis.evaluate(
                    JobScripts.liveWorkers, keys: [Keys.jobs], arguments: Keys.jobGroup, Keys.forwarderPrefix
                ).int
            }
            #expect(try await living() == 0)
            _ = try await fixture.admission().enqueue(fixture.job())
            #expect(try await living() == 0, "a job waits for the first forwarder, which makes the group")
            let one = try await fixture.forwarder("one")
            _ = try await fixture.forwarder("two")
            #expect(try await living() == 2)
            try await one.leave()
            #expect(try await living() == 1)
        }
    }

    @Test func `what was queued before the group is not passed over`() async throws {
        try await QueueFixture.run { fixture in
            let job = fixture.job()
            _ = try await fixture.admission().enqueue(job)
            let stream = try await fixture.forwarder("one")
            try await stream.join()
            #expect(try await fixture.take(stream).map(\.insertionID) == [job.insertionID.description])
        }
    }

    @Test func `a heartbeat lives for its time and tells the server's clock`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let (before, told, after) = try await (Timestamp.now, stream.beat(), Timestamp.now)
            #expect((before - 1...after + 1).contains(told))
            let life = try #require(try await fixture.send("PTTL", Keys.forwarder("one")).int)
            #expect((14_000...15_000).contains(life))
        }
    }
}
