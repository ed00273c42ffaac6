import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// Architecture §2.2: what ends or feeds a job does nothing at all once the job is another forwarder's.
@Suite(.timeLimit(.minutes(5))) struct OwnershipTests {
    /// A job that `late` was given and lost to `owner`.
    private func withLostJob(
        _ body: (QueueFixture, _ late: JobStream, _ owner: JobStream, Job, Delivery) async throws -> Void
    ) async throws {
        try await QueueFixture.run { fixture in
            let late = try await fixture.forwarder("late")
            let owner = try await fixture.forwarder("owner")
            try await fixture.attach()
            let job = fixture.job()
            _ = try await fixture.admission().enqueue(job)
            let delivery = try #require(try await fixture.take(late).first)
            try await late.leave()
            #expect(try await owner.claim(upTo: 1, running: []).map(\.entry) == [delivery.entry])
            try await body(fixture, late, owner, job, delivery)
        }
    }

    @Test func `a late owner changes nothing`() async throws {
        try await withLostJob { fixture, late, _, job, delivery in
            let before = try await fixture.dump()
            #expect(try await late.deliver([1], of: job, in: delivery, markerTTL: .seconds(300)) == false)
            let ending = JobStream.Ending(removeFrom: .sample, deadLetterReason: "late")
            #expect(
                try await late.finish(
                    delivery, id: job.insertionID, responseKey: job.responseKey, sealed: [1], ending: ending) == false)
            try await late.release([delivery.entry])
            #expect(try await fixture.dump() == before)
        }
    }

    @Test func `the owner ends the job once`() async throws {
        try await withLostJob { fixture, _, owner, job, delivery in
            #expect(try await owner.deliver([1], of: job, in: delivery, markerTTL: .seconds(300)))
            #expect(try await owner.hasStarted(job.insertionID))
            #expect(
                try await owner.finish(
                    delivery, id: job.insertionID, responseKey: job.responseKey, sealed: [2], ending: .init()))
            let before = try await fixture.dump()
            #expect(
                before.keys.sorted()
                    == (RolloutKeys.sample.kept + [Keys.forwarder("owner"), Keys.jobs, job.responseKey]).sorted())
            #expect(try await fixture.send("XPENDING", Keys.jobs, Keys.jobGroup)[0] == .integer(0))
            #expect(try await fixture.frames(on: job.responseKey) == [[1], [2]])
            // Its answer was lost on the way, and it says it again.
            #expect(
                try await owner.finish(
                    delivery, id: job.insertionID, responseKey: job.responseKey, sealed: [2], ending: .init()) == false)
            #expect(try await fixture.dump() == before)
        }
    }

    @Test func `frames for an ingress that is gone are kept for a while`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let job = fixture.job()
            _ = try await fixture.admission().enqueue(job)
            let delivery = try #require(try await fixture.take(stream).first)
            #expect(try await stream.deliver([1], of: job, in: delivery, markerTTL: .seconds(300)))
            #expect(
                try await stream.finish(
                    delivery, id: job.insertionID, responseKey: job.responseKey, sealed: [2], ending: .init()))
            #expect(
                try await fixture.send("EXISTS", job.responseKey) == .integer(0),
                "no stream is made for an ingress that is gone")
            #expect(try await fixture.frames(on: Keys.response(job.insertionID)) == [[1], [2]])
            let life = try #require(try await fixture.send("TTL", Keys.response(job.insertionID)).int)
            #expect((3590...3600).contains(life))
        }
    }

    @Test(arguments: [true, false]) func `only a failure leaves the set`(_ succeeded: Bool) async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let job = fixture.job()
            _ = try await fixture.admission().enqueue(job)
            let delivery = try #require(try await fixture.take(stream).first)
            let ending = JobStream.Ending(removeFrom: succeeded ? nil : .sample)
            #expect(
                try await stream.finish(
                    delivery, id: job.insertionID, responseKey: job.responseKey, sealed: nil, ending: ending))
            #expect(try await fixture.members("rollout") == (succeeded ? [job.insertionID.description] : []))
        }
    }

    /// The marker that keeps a begun call from being repeated lives as long as it was given.
    @Test func `the started marker has its life`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let job = fixture.job()
            _ = try await fixture.admission().enqueue(job)
            let delivery = try #require(try await fixture.take(stream).first)
            #expect(try await stream.hasStarted(job.insertionID) == false)
            _ = try await stream.deliver([1], of: job, in: delivery, markerTTL: .milliseconds(90_000))
            let life = try #require(try await fixture.send("PTTL", Keys.started(job.insertionID)).int)
            #expect((80_000...90_000).contains(life))
        }
    }

    /// After a flush nobody owns anything: a forwarder must not wait for a group that comes back only when its own
    /// slots are free.
    @Test func `nothing is owned once the stream is gone`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let job = fixture.job()
            _ = try await fixture.admission().enqueue(job)
            let delivery = try #require(try await fixture.take(stream).first)
            try await fixture.send("FLUSHALL")
            #expect(try await stream.deliver([1], of: job, in: delivery, markerTTL: .seconds(300)) == false)
            #expect(
                try await stream.finish(delivery, id: job.insertionID, responseKey: nil, sealed: [1], ending: .init())
                    == false)
            #expect(try await fixture.dump().isEmpty)
            await #expect { try await fixture.take(stream) } throws: { ($0 as? RedisError)?.serverCode == "NOGROUP" }
            try await stream.join()
            _ = try await fixture.admission().enqueue(job)
            #expect(try await fixture.take(stream).count == 1)
        }
    }
}
