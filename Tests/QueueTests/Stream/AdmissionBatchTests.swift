import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// Jobs that are queued in one script: each has its own result, and one that fails changes no other.
@Suite(.timeLimit(.minutes(5))) struct AdmissionBatchTests {
    @Test func `the jobs of a turn are one script`() async throws {
        try await QueueFixture.run { fixture in
            _ = try await fixture.admission().enqueue(fixture.job())
            let before = try await fixture.executions()
            let results = try await fixture.enqueue((0..<100).map { _ in fixture.job() })
            #expect(results.map(\.outcome) == (2...101).map { .queued(length: $0) })
            #expect(try await fixture.executions() - before == 2, "64 and 36")
        }
    }

    @Test func `a bad job changes no other`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.send("SET", "taken", "a stranger's")
            // Its list cannot be written, which shows after its id was added.
            try await fixture.send("SET", Keys.rollouts(project: "broken"), "a stranger's")
            let jobs = [
                fixture.job(), fixture.job(rollout: "taken"), fixture.job(rollout: nil),
                fixture.job(rollout: "new", project: "broken"), fixture.job(),
            ]
            let results = try await fixture.enqueue(jobs)
            #expect(
                results.map(\.outcome) == [.queued(length: 1), .notASet, .queued(length: 2), nil, .queued(length: 3)])
            #expect(results[3].refusal == "WRONGTYPE")
            let stream = try await fixture.forwarder("one")
            let deliveries = try await fixture.take(stream)
            #expect(deliveries.map(\.insertionID) == [jobs[0], jobs[2], jobs[4]].map(\.insertionID.description))
            #expect(try await fixture.byteCount() == deliveries.reduce(0) { $0 + $1.size })
        }
    }

    /// A job with an `Idempotency-Key`, the same for all.
    private func job(_ fixture: QueueFixture, asking request: UInt8) -> Job {
        var job = fixture.job()
        job.deadline = Deadline(in: .seconds(300))
        job.responseKey = Keys.response(job.insertionID)
        job.idempotency = Idempotency(
            clientKey: "k", project: "local", account: nil, request: [[request]], envelope: fixture.envelope)
        return job
    }

    @Test func `a server without memory refuses each`() async throws {
        try await QueueFixture.run { fixture in
            let repeated = job(fixture, asking: 1)
            _ = try await fixture.admission().enqueue(repeated)
            let before = try await fixture.dump()
            try await fixture.send("CONFIG", "SET", "maxmemory", "1")
            let results = try await fixture.enqueue([fixture.job(), repeated, fixture.job(rollout: nil)])
            #expect(results.map(\.refusal) == ["OOM", nil, "OOM"])
            #expect(results[1].outcome == .repeats(repeated.insertionID))
            try await fixture.send("CONFIG", "SET", "maxmemory", "0")
            #expect(try await fixture.dump() == before)
        }
    }

    /// A replica takes no write: all hear it, and the connection looks for the primary.
    @Test func `a replica refuses all`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                let fixture = QueueFixture(redis: redis)
                _ = try await fixture.admission().enqueue(fixture.job())
                try await server.administer(["REPLICAOF", "127.0.0.1", "1"])
                let results = try await fixture.enqueue([fixture.job(), fixture.job(rollout: nil)])
                #expect(results.map(\.refusal) == ["READONLY", "READONLY"])
                try await eventually { !redis.isReady }
            }
        }
    }

    @Test func `a late job is late alone`() async throws {
        try await QueueFixture.run { fixture in
            let (admission, jobs) = (fixture.admission(), (0..<3).map { _ in fixture.job(rollout: nil) })
            let results = try await fixture.inOneTurn(3) { place, completion in
                admission.batcher.submit(
                    EnqueueStep(
                        job: jobs[place], sealed: [UInt8](repeating: 1, count: 100), rollout: nil, renews: false,
                        consumer: nil,
                        latest: place == 1 ? 1 : nil, completion: completion))
            }
            #expect(results.map(\.outcome) == [.queued(length: 1), .tooLate, .queued(length: 2)])
        }
    }

    @Test func `a repetition is known within the batch`() async throws {
        try await QueueFixture.run { fixture in
            let jobs = [job(fixture, asking: 1), job(fixture, asking: 1), job(fixture, asking: 2)]
            let results = try await fixture.enqueue(jobs)
            #expect(results.map(\.outcome) == [.queued(length: 1), .repeats(jobs[0].insertionID), .anotherRequest])
            #expect(try await fixture.members("rollout") == [jobs[0].insertionID.description])
        }
    }

    @Test func `the jobs of one rollout are all counted`() async throws {
        try await QueueFixture.run { fixture in
            let keys = RolloutKeys.sample
            try await fixture.send("HSET", keys.verdict, "verdict", "complete")
            let jobs = (0..<3).map { _ in fixture.job() }
            _ = try await fixture.enqueue(jobs)
            #expect(try await fixture.members(keys.set) == Set(jobs.map(\.insertionID.description)))
            #expect(try await fixture.send("GET", keys.count).int == 3)
            #expect(try await fixture.send("HGET", keys.record, "ids").int == 3)
            #expect(try await fixture.send("EXISTS", keys.verdict).int == 0)
            for key in [keys.set, keys.count, keys.record, keys.list] {
                #expect(try await fixture.send("TTL", key).int ?? -1 > 0, "\(key)")
            }
        }
    }

    @Test func `the bounds are exact within a batch`() async throws {
        try await QueueFixture.run { fixture in
            let jobs = (0..<4).map { _ in fixture.job() }
            let entries = try await fixture.enqueue(jobs, by: fixture.admission(entries: 3))
            #expect(
                entries.map(\.outcome) == [.queued(length: 1), .queued(length: 2), .queued(length: 3), .tooManyEntries])
            try await fixture.send("FLUSHALL")
            let size = jobs[0].wireBytes.count + Envelope.overhead
            let (large, small) = (fixture.job(body: [UInt8](repeating: 1, count: 100)), fixture.job())
            let bytes = try await fixture.enqueue(
                [jobs[0], large, small, jobs[1]], by: fixture.admission(bytes: 2 * size))
            #expect(bytes.map(\.outcome) == [.queued(length: 1), .tooManyBytes, .queued(length: 2), .tooManyBytes])
            #expect(try await fixture.byteCount() == 2 * size)
        }
    }

    /// First come, first served: of a batch that meets older jobs as many are given as slots were taken, the oldest
    /// first.
    @Test func `the oldest are given for the slots of a batch`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("here")
            let (old, jobs) = (fixture.job(), (0..<5).map { _ in fixture.job() })
            _ = try await fixture.admission().enqueue(old)
            // The first and the third have no slot; the fourth is refused, and its slot is for none.
            try await fixture.send("SET", "taken", "a stranger's")
            let refused = fixture.job(rollout: "taken")
            let batch = [jobs[0], jobs[1], jobs[2], refused, jobs[3], jobs[4]]
            let results = try await fixture.enqueue(batch, givingTo: [nil, "here", nil, "here", "here", "here"])
            let given = results.map { result -> String in
                switch result.given {
                case .this(let delivery): "own \(delivery.insertionID)"
                case .older(let delivery): "other \(delivery.insertionID)"
                case nil: "none"
                }
            }
            // Three are read: the old one, and the first two of the batch.
            #expect(
                given == [
                    "none", "own \(jobs[1].insertionID)", "none", "none", "other \(old.insertionID)",
                    "other \(jobs[0].insertionID)",
                ])
            #expect(try await fixture.take(stream).map(\.insertionID) == jobs[2...].map(\.insertionID.description))
            guard case .older(let delivery) = results[5].given else { throw QueueFixture.NotGiven() }
            var taken = delivery
            #expect(try taken.takeJob(opening: fixture.envelope) == jobs[0])
        }
    }

    @Test func `without a group a batch waits`() async throws {
        try await QueueFixture.run { fixture in
            let jobs = (0..<3).map { _ in fixture.job() }
            let results = try await fixture.enqueue(jobs, givingTo: jobs.map { _ in "here" })
            #expect(
                results.map(\.outcome) == (1...3).map { .queued(length: $0) } && results.allSatisfy { $0.given == nil })
            #expect(try await fixture.take(try await fixture.forwarder("here")).count == 3)
        }
    }
}
