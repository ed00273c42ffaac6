import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

@Suite(.timeLimit(.minutes(5))) struct AdmissionTests {
    @Test func `records and queues together`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let job = fixture.job(rollout: "a{*}'\"b", project: "other", body: [1, 2, 3])
            #expect(try await fixture.admission().enqueue(job) == .queued(length: 1))
            #expect(try await fixture.members("project/other/a{*}'\"b") == [job.insertionID.description])
            let delivery = try #require(try await fixture.take(stream).first)
            #expect(delivery.count == 1 && !delivery.isTakenOver)
            #expect(try delivery.job(opening: fixture.envelope) == job)
            #expect(try await fixture.byteCount() == delivery.size)
        }
    }

    @Test func `a call without rollout has no set`() async throws {
        try await QueueFixture.run { fixture async throws in
            #expect(try await fixture.admission().enqueue(fixture.job(rollout: nil)) == .queued(length: 1))
            #expect(try await fixture.dump().keys.sorted() == [Keys.jobs, Keys.jobBytes])
        }
    }

    @Test func `a name that something else has is refused`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.send("SET", "rollout", "a stranger's")
            let before = try await fixture.dump()
            #expect(try await fixture.admission().enqueue(fixture.job()) == .notASet)
            #expect(try await fixture.dump() == before)
        }
    }

    @Test func `renews the life of the set`() async throws {
        try await QueueFixture.run { fixture in
            _ = try await fixture.admission().enqueue(fixture.job())
            try await fixture.send("EXPIRE", "rollout", 5)
            _ = try await fixture.admission(ttl: .seconds(3600)).enqueue(fixture.job())
            let life = try #require(try await fixture.send("TTL", "rollout").int)
            #expect((3590...3600).contains(life))
            #expect(try await fixture.members("rollout").count == 2)
        }
    }

    @Test(arguments: [1, 3]) func `is full at exactly so many entries`(_ limit: Int) async throws {
        try await QueueFixture.run { fixture in
            let admission = fixture.admission(entries: limit)
            for length in 1...limit { #expect(try await admission.enqueue(fixture.job()) == .queued(length: length)) }
            let before = try await fixture.dump()
            #expect(try await admission.enqueue(fixture.job(rollout: "new")) == .tooManyEntries)
            #expect(try await fixture.dump() == before, "a refused job leaves nothing, not even its rollout's set")
        }
    }

    @Test(arguments: [0, 1]) func `is full at exactly so many bytes`(_ short: Int) async throws {
        try await QueueFixture.run { fixture in
            let job = fixture.job()
            let size = job.wireBytes.count + Envelope.overhead
            let admission = fixture.admission(bytes: 3 * size - short)
            for length in 1...2 { #expect(try await admission.enqueue(fixture.job()) == .queued(length: length)) }
            let before = try await fixture.dump()
            #expect(try await admission.enqueue(job) == (short == 0 ? .queued(length: 3) : .tooManyBytes))
            if short > 0 { #expect(try await fixture.dump() == before) }
        }
    }

    @Test func `an empty queue takes a job of any size`() async throws {
        try await QueueFixture.run { fixture async throws in
            #expect(try await fixture.admission(bytes: 1).enqueue(fixture.job()) == .queued(length: 1))
            #expect(try await fixture.admission(bytes: 1).enqueue(fixture.job()) == .tooManyBytes)
        }
    }

    /// A counter that something else spoilt neither shuts the queue nor opens it for good.
    @Test(arguments: ["-1000000", "garbage", ""]) func `heals the byte counter`(_ value: String) async throws {
        try await QueueFixture.run { fixture in
            let job = fixture.job()
            let size = job.wireBytes.count + Envelope.overhead
            _ = try await fixture.admission().enqueue(job)
            try await fixture.send("SET", Keys.jobBytes, value)
            #expect(try await fixture.admission(bytes: size).enqueue(fixture.job()) == .queued(length: 2))
            #expect(try await fixture.byteCount() == size)
            #expect(try await fixture.admission(bytes: size).enqueue(fixture.job()) == .tooManyBytes)
        }
    }

    @Test func `the byte counter goes with the last entry`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            for size in [0, 10, 1000] {
                _ = try await fixture.admission().enqueue(fixture.job(body: Array(repeating: 1, count: size)))
            }
            // A stranger's entry was never counted; it takes off what it never added.
            try await fixture.send("XADD", Keys.jobs, "*", "p", [UInt8](repeating: 2, count: 10_000))
            for delivery in try await fixture.take(stream) {
                #expect(try await stream.finish(delivery, id: nil, responseKey: nil, sealed: nil, ending: .init()))
            }
            #expect(try await fixture.byteCount() == nil)
            #expect(try await fixture.send("XLEN", Keys.jobs).int == 0)
        }
    }

    /// Ids are arguments of a script and parts of keys; none is ever code, pattern or separator.
    @Test(arguments: [
        "{x}", "*", "'; return redis.call('FLUSHALL') --", "a\u{0}b", "a\r\nFLUSHALL\r\n", "\"", "__proto__",
        String(repeating: "x", count: 65_536),
    ])
    func `hostile IDs are only names`(_ rollout: String) async throws {
        try await QueueFixture.run { fixture in
            let job = fixture.job(rollout: rollout)
            _ = try await fixture.admission().enqueue(job)
            #expect(
                try await fixture.dump().keys.sorted()
                    == (KeySpace.local.keys(of: Rollout(rollout, project: "local")).kept + [
                        Keys.jobs, Keys.jobBytes,
                    ]).sorted())
            #expect(try await fixture.members(rollout) == [job.insertionID.description])
        }
    }
}
