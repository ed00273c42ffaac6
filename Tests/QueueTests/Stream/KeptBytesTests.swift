import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// What is kept for later beyond the life of a call, and its bound.
@Suite(.timeLimit(.minutes(5))) struct KeptBytesTests {
    private static let record = 256

    private func job(_ fixture: QueueFixture, key: String? = nil) -> Job {
        var job = fixture.job()
        job.responseKey = Keys.response(job.insertionID)
        job.deadline = Deadline(in: .seconds(300))
        job.idempotency = key.map {
            Idempotency(clientKey: $0, project: job.project, account: nil, request: [], envelope: fixture.envelope)
        }
        return job
    }

    private func ending(of job: Job, used: Int = 0, frees: String? = nil) -> JobStream.Ending {
        JobStream.Ending(
            frees: frees, answerLife: job.answerLife, reservation: KeptBytes.Reservation(of: job, used: used))
    }

    /// Queues a job and takes it.
    private func begin(_ job: Job, _ fixture: QueueFixture, by stream: JobStream) async throws -> Delivery {
        guard case .queued = try await fixture.admission().enqueue(job) else { throw QueueFixture.NotGiven() }
        return try #require(try await fixture.take(stream).first)
    }

    private func deliver(
        _ bytes: Int, kept: Int?, of job: Job, _ delivery: Delivery, by stream: JobStream
    ) async throws -> JobStream.Delivered {
        let frame = [UInt8](repeating: 7, count: bytes)
        return try await withCheckedThrowingContinuation { continuation in
            stream.deliver(frame, of: job, in: delivery, markerTTL: .seconds(300), keptBytes: kept) {
                continuation.resume(with: $0)
            }
        }
    }

    private func count(_ fixture: QueueFixture) async throws -> Int { try await KeptBytes.count(in: fixture.redis) }

    /// Lets time pass for what is counted: all of it has expired so many minutes ago.
    private func expire(_ fixture: QueueFixture, minutesAgo: Int) async throws {
        let counted = try await fixture.send("HGETALL", Keys.kept).array ?? []
        let now = Int(Timestamp.now.milliseconds) / 60_000
        try await fixture.send("HSET", Keys.kept, "from", now - minutesAgo - 10)
        var at = now - minutesAgo - 10
        for index in stride(from: 0, to: counted.count - 1, by: 2) {
            guard let name = counted[index].string, Int(name) != nil, let bytes = counted[index + 1].int else {
                continue
            }
            try await fixture.send("HDEL", Keys.kept, name)
            try await fixture.send("HINCRBY", Keys.kept, at, bytes)
            at = min(at + 1, now - minutesAgo)
        }
    }

    /// From the job that is queued to the answer that can be fetched, a call counts what it takes of Redis's memory.
    @Test(arguments: [10, 3000, 250_000]) func `counts what an answer takes`(frame: Int) async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let first = job(fixture, key: "k")
            let delivery = try await begin(first, fixture, by: stream)
            #expect(try await count(fixture) == KeptBytes.reserved + 2 * Self.record)
            for _ in 0..<3 {
                let sent = try await deliver(frame, kept: nil, of: first, delivery, by: stream)
                #expect(sent != .lost && sent != .full)
            }
            #expect(
                try await stream.finish(
                    delivery, id: first.insertionID, responseKey: first.responseKey,
                    sealed: [UInt8](repeating: 1, count: frame), ending: ending(of: first)))
            var taken = 0
            for key in [first.responseKey, Keys.jobRecord(first.insertionID), try #require(first.idempotency?.key)] {
                taken += try await fixture.send("MEMORY", "USAGE", key, "SAMPLES", 0).int ?? 0
            }
            let counted = try await count(fixture)
            #expect(abs(counted - taken) * 10 <= taken, "\(counted) of \(taken)")
            let life = try #require(try await fixture.send("TTL", Keys.kept).int)
            #expect((86_000...86_800).contains(life), "as long as the last of it")
        }
    }

    @Test func `an answer that is not kept is not counted`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            try await fixture.attach()
            var job = fixture.job()
            job.deadline = Deadline(in: .seconds(300))
            let delivery = try await begin(job, fixture, by: stream)
            #expect(try await deliver(1000, kept: nil, of: job, delivery, by: stream) == .sent(keptBytes: 0))
            #expect(
                try await stream.finish(
                    delivery, id: job.insertionID, responseKey: job.responseKey, sealed: [1], ending: .init()))
            #expect(try await fixture.send("EXISTS", Keys.kept).int == 0)
        }
    }

    /// Jobs of one script count for each other, and a request that was made before is found all the same.
    @Test func `no more is taken than there is room for`() async throws {
        try await QueueFixture.run { fixture in
            let admission = fixture.admission(keptBytes: 3 * KeptBytes.reserved + 5000)
            let jobs = (0..<6).map { job(fixture, key: "\($0)") }
            let outcomes = try await fixture.enqueue(jobs, by: admission).map(\.outcome)
            #expect(outcomes.prefix(3) == [.queued(length: 1), .queued(length: 2), .queued(length: 3)])
            #expect(outcomes.suffix(3) == [.tooMuchKept, .tooMuchKept, .tooMuchKept])
            let before = try await fixture.dump()
            #expect(try await admission.enqueue(job(fixture, key: "9")) == .tooMuchKept)
            #expect(try await admission.enqueue(job(fixture, key: "0")) == .repeats(jobs[0].insertionID))
            #expect(try await fixture.dump() == before, "what is refused leaves nothing")
            #expect(try await admission.enqueue(fixture.job()) == .queued(length: 4), "other calls go on")
        }
    }

    /// What ends gives back what was set aside, once: even where its end is said twice.
    @Test func `an end frees its reservation`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let (first, second) = (job(fixture), job(fixture))
            let delivery = try await begin(first, fixture, by: stream)
            _ = try await begin(second, fixture, by: stream)
            for isFirst in [true, false] {
                #expect(
                    try await stream.finish(
                        delivery, id: first.insertionID, responseKey: first.responseKey, sealed: [1],
                        ending: ending(of: first)) == isFirst)
            }
            #expect(try await count(fixture) == KeptBytes.reserved + 2 * Self.record + 4800)
        }
    }

    @Test func `a freed key is no longer counted`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let first = job(fixture, key: "k")
            let delivery = try await begin(first, fixture, by: stream)
            #expect(
                try await stream.finish(
                    delivery, id: first.insertionID, responseKey: nil, sealed: nil,
                    ending: ending(of: first, frees: first.idempotency?.key)))
            #expect(try await count(fixture) == Self.record)
        }
    }

    /// A minute that is over counts no longer, whether or not anything was written meanwhile.
    @Test(arguments: [1, 700, 20_000]) func `what has expired counts no longer`(minutes: Int) async throws {
        try await QueueFixture.run { fixture in
            let admission = fixture.admission(keptBytes: KeptBytes.reserved + 5000)
            #expect(try await admission.enqueue(job(fixture, key: "k")) == .queued(length: 1))
            #expect(try await admission.enqueue(job(fixture)) == .tooMuchKept)
            try await expire(fixture, minutesAgo: minutes)
            #expect(try await count(fixture) == 0)
            #expect(try await admission.enqueue(job(fixture)) == .queued(length: 2))
            #expect(try await count(fixture) == KeptBytes.reserved + Self.record)
            // The total, the beginning, and the minutes of reservation and record.
            #expect(try await fixture.send("HLEN", Keys.kept).int == 4)
        }
    }

    /// An answer goes on to what is set aside for it, and beyond as far as there is room. Then nothing of it is left.
    @Test func `an answer that has no room is given up`() async throws {
        try await QueueFixture.run { fixture in
            let limit = 3 * KeptBytes.reserved
            let stream = try await fixture.forwarder("one", keptLimit: limit)
            let large = job(fixture)
            let delivery = try await begin(large, fixture, by: stream)
            var (kept, frames) = (0, 0)
            loop: while frames < 100 {
                switch try await deliver(100_000, kept: kept, of: large, delivery, by: stream) {
                case .sent(let bytes): (kept, frames) = (kept + bytes, frames + 1)
                case .full: break loop
                case .lost: throw QueueFixture.NotGiven()
                }
                let expected = Self.record + max(KeptBytes.reserved, kept)
                #expect(try await count(fixture) == expected, "what was set aside is used up first")
            }
            #expect(frames == 8)
            #expect(try await count(fixture) == Self.record)
            #expect(try await fixture.send("XLEN", large.responseKey).int == 0)
            #expect(
                try await stream.finish(
                    delivery, id: large.insertionID, responseKey: large.responseKey, sealed: [1],
                    ending: ending(of: large, used: kept)))
            #expect(try await fixture.frames(on: large.responseKey) == [[1]], "its last word can be fetched")
        }
    }

    /// Where the bound is reached, an answer that fits into what was set aside for it is kept.
    @Test func `a reserved answer is kept in a full gateway`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one", keptLimit: 1)
            let small = job(fixture)
            let delivery = try await begin(small, fixture, by: stream)
            guard case .sent(let kept) = try await deliver(100_000, kept: 0, of: small, delivery, by: stream) else {
                throw QueueFixture.NotGiven()
            }
            #expect(
                try await deliver(100_000, kept: kept, of: small, delivery, by: stream) == .sent(keptBytes: 115_188))
            #expect(try await deliver(100_000, kept: kept + 115_188, of: small, delivery, by: stream) == .full)
        }
    }

    /// A flush loses what is kept and its count together; what ran then frees nothing of what came later.
    @Test func `a flush begins anew`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let lost = job(fixture)
            let delivery = try await begin(lost, fixture, by: stream)
            try await fixture.send("FLUSHALL")
            #expect(try await count(fixture) == 0)
            let stream2 = try await fixture.forwarder("two")
            _ = try await begin(job(fixture), fixture, by: stream2)
            #expect(
                try await !stream.finish(
                    delivery, id: lost.insertionID, responseKey: lost.responseKey, sealed: [1],
                    ending: ending(of: lost)))
            #expect(try await count(fixture) == KeptBytes.reserved + Self.record)
        }
    }

    /// Another program's value in its place keeps no job from its way.
    @Test func `something else in its place holds nothing up`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            try await fixture.send("SET", Keys.kept, "a stranger's")
            let first = job(fixture, key: "k")
            let delivery = try await begin(first, fixture, by: stream)
            #expect(try await deliver(1000, kept: 0, of: first, delivery, by: stream) != .full)
            #expect(
                try await stream.finish(
                    delivery, id: first.insertionID, responseKey: first.responseKey, sealed: [1],
                    ending: ending(of: first)))
            #expect(try await fixture.send("GET", Keys.kept).string == "a stranger's")
        }
    }
}
