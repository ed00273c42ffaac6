import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// Jobs that end or go on in one script: each has its own result, and one that fails changes no other.
@Suite(.timeLimit(.minutes(5))) struct OwnershipBatchTests {
    /// Three jobs that `here` was given.
    private func withJobs(
        _ body: (QueueFixture, _ here: JobStream, [QueueFixture.End]) async throws -> Void
    ) async throws {
        try await QueueFixture.run { fixture in
            let here = try await fixture.forwarder("here")
            try await fixture.attach()
            let jobs = (0..<3).map { _ in fixture.job() }
            let deliveries = try await fixture.give(jobs, to: "here")
            try await body(
                fixture, here, zip(jobs, deliveries).map { QueueFixture.End(job: $0, delivery: $1, sealed: [1]) })
        }
    }

    @Test func `the ends of a turn are one script`() async throws {
        try await withJobs { fixture, here, ends async throws in
            // The first is sent twice, to a server that does not know the script yet.
            #expect(try await fixture.finish([ends[0]], by: here).map(\.isOwner) == [true])
            let before = try await fixture.executions()
            #expect(try await fixture.finish(ends, by: here).map(\.isOwner) == [false, true, true])
            #expect(try await fixture.executions() - before == 1)
            #expect(try await fixture.send("XPENDING", Keys.jobs, Keys.jobGroup)[0] == .integer(0))
            #expect(try await fixture.send("XLEN", Keys.jobs).int == 0)
            #expect(try await fixture.byteCount() == nil)
            #expect(try await fixture.frames(on: ends[0].job.responseKey).count == 3)
        }
    }

    @Test func `a lost job is lost alone`() async throws {
        try await withJobs { fixture, here, ends async throws in
            try await here.release([ends[1].delivery.entry])
            let frames = ends.map { (frame: [UInt8(7)], job: $0.job, delivery: $0.delivery) }
            #expect(try await fixture.deliver(frames, by: here).map(\.isOwner) == [true, false, true])
            #expect(try await !here.hasStarted(ends[1].job.insertionID))
            var failing = ends
            for index in failing.indices { failing[index].ending.removeFrom = .sample }
            #expect(try await fixture.finish(failing, by: here).map(\.isOwner) == [true, false, true])
            #expect(try await fixture.members("rollout") == [ends[1].job.insertionID.description])
            #expect(try await fixture.send("GET", RolloutKeys.sample.count).int == 1)
            #expect(try await fixture.byteCount() == ends[1].delivery.size)
            #expect(try await fixture.frames(on: ends[0].job.responseKey) == [[7], [7], [1], [1]])
        }
    }

    @Test func `a job ends once within a batch`() async throws {
        try await withJobs { fixture, here, ends async throws in
            #expect(
                try await fixture.finish([ends[0], ends[0], ends[1]], by: here).map(\.isOwner) == [true, false, true])
            #expect(try await fixture.frames(on: ends[0].job.responseKey).count == 2)
            #expect(try await fixture.byteCount() == ends[2].delivery.size)
        }
    }

    @Test func `what fails for one job keeps no other from its end`() async throws {
        try await withJobs { fixture, here, ends async throws in
            try await fixture.send("SET", "taken", "a stranger's")
            var batch = ends
            batch[1].responseKey = "taken"
            let frames = [(frame: [UInt8(7)], job: batch[0].job, delivery: batch[0].delivery)]
            #expect(try await fixture.deliver(frames, by: here).map(\.isOwner) == [true])
            let results = try await fixture.finish(batch, by: here)
            #expect(results.map(\.isOwner) == [true, nil, true] && results[1].refusal == "WRONGTYPE")
            #expect(try await fixture.byteCount() == ends[1].delivery.size)
            #expect(try await fixture.finish([ends[1]], by: here).map(\.isOwner) == [true], "it is still its owner's")
            #expect(try await fixture.byteCount() == nil)
        }
    }

    /// What writes nothing new ends also without memory.
    @Test func `a server without memory refuses what needs it`() async throws {
        try await withJobs { fixture, here, ends async throws in
            var batch = ends
            batch[2].sealed = nil
            try await fixture.send("CONFIG", "SET", "maxmemory", "1")
            let results = try await fixture.finish(batch, by: here)
            #expect(results.map(\.refusal) == ["OOM", "OOM", nil] && results[2].isOwner == true)
            try await fixture.send("CONFIG", "SET", "maxmemory", "0")
            #expect(try await fixture.finish(batch, by: here).map(\.isOwner) == [true, true, false])
        }
    }

    /// Counters that something else spoilt keep no job from its end.
    @Test func `spoilt counters end no batch`() async throws {
        try await withJobs { fixture, here, ends async throws in
            for key in [Keys.jobBytes, Keys.traceBytes] { try await fixture.send("SET", key, "garbage") }
            var batch = Array(ends[..<2])
            batch[0].ending.span = JobStream.Span(project: "local", sealed: [1, 2], life: .seconds(10))
            #expect(try await fixture.finish(batch, by: here).map(\.isOwner) == [true, true])
            #expect(try await fixture.send("XLEN", Keys.traces(project: "local")).int == 1)
        }
    }

    @Test func `dead letters of a batch keep their jobs`() async throws {
        try await withJobs { fixture, here, ends async throws in
            var batch = ends
            for index in 0..<2 { batch[index].ending.deadLetterReason = "reason \(index)" }
            #expect(try await fixture.finish(batch, by: here).map(\.isOwner) == [true, true, true])
            let letters = try await fixture.send("XRANGE", Keys.dead, "-", "+").array ?? []
            #expect(letters.map { $0[1][1].string } == ["reason 0", "reason 1"])
            #expect(letters.map { $0[1][5].string } == ends[..<2].map(\.job.insertionID.description))
            #expect(letters.map { $0[1][9].bytes?.count } == ends[..<2].map(\.delivery.size))
        }
    }

    /// After a flush no job has an owner.
    @Test func `nothing is owned once the stream is gone`() async throws {
        try await withJobs { fixture, here, ends async throws in
            try await fixture.send("FLUSHALL")
            #expect(try await fixture.finish(ends, by: here).map(\.isOwner) == [false, false, false])
            #expect(try await fixture.dump().isEmpty)
        }
    }
}
