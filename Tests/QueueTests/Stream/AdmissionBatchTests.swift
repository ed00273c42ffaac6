import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// Jobs that are queued in one script: each has its own result, and one that fails changes no other.
@Suite(.timeLimit(.minutes(5))) struct AdmissionBatchTests {
    @Test func theJobsOfATurnAreOneScript() async throws {
        try await QueueBench.run { bench in
            _ = try await bench.admission().enqueue(bench.job())
            let before = try await bench.executions()
            let results = try await bench.enqueue((0..<100).map { _ in bench.job() })
            #expect(results.map(\.outcome) == (2...101).map { .queued(length: $0) })
            #expect(try await bench.executions() - before == 2, "64 and 36")
        }
    }

    @Test func aBadJobChangesNoOther() async throws {
        try await QueueBench.run { bench in
            try await bench.send("SET", "taken", "a stranger's")
            // Its list cannot be written, which shows after its id was added.
            try await bench.send("SET", Keys.rollouts(project: "broken"), "a stranger's")
            let jobs = [
                bench.job(), bench.job(rollout: "taken"), bench.job(rollout: nil),
                bench.job(rollout: "new", project: "broken"), bench.job(),
            ]
            let results = try await bench.enqueue(jobs)
            #expect(
                results.map(\.outcome) == [.queued(length: 1), .notASet, .queued(length: 2), nil, .queued(length: 3)])
            #expect(results[3].refusal == "WRONGTYPE")
            let stream = try await bench.forwarder("one")
            let deliveries = try await bench.take(stream)
            #expect(deliveries.map(\.insertionID) == [jobs[0], jobs[2], jobs[4]].map(\.insertionID.description))
            #expect(try await bench.byteCount() == deliveries.reduce(0) { $0 + $1.size })
        }
    }

    /// A job with an `Idempotency-Key`, the same for all.
    private func job(_ bench: QueueBench, asking request: UInt8) -> Job {
        var job = bench.job()
        job.deadline = Deadline(in: .seconds(300))
        job.responseKey = Keys.response(job.insertionID)
        job.idempotency = Idempotency(
            clientKey: "k", project: "local", account: nil, request: [[request]], envelope: bench.envelope)
        return job
    }

    @Test func aServerWithoutMemoryRefusesEach() async throws {
        try await QueueBench.run { bench in
            let repeated = job(bench, asking: 1)
            _ = try await bench.admission().enqueue(repeated)
            let before = try await bench.dump()
            try await bench.send("CONFIG", "SET", "maxmemory", "1")
            let results = try await bench.enqueue([bench.job(), repeated, bench.job(rollout: nil)])
            #expect(results.map(\.refusal) == ["OOM", nil, "OOM"])
            #expect(results[1].outcome == .repeats(repeated.insertionID))
            try await bench.send("CONFIG", "SET", "maxmemory", "0")
            #expect(try await bench.dump() == before)
        }
    }

    /// A replica takes no write: all hear it, and the connection looks for the primary.
    @Test func aReplicaRefusesAll() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                let bench = QueueBench(redis: redis)
                _ = try await bench.admission().enqueue(bench.job())
                try await server.administer(["REPLICAOF", "127.0.0.1", "1"])
                let results = try await bench.enqueue([bench.job(), bench.job(rollout: nil)])
                #expect(results.map(\.refusal) == ["READONLY", "READONLY"])
                try await eventually { !redis.isReady }
            }
        }
    }

    @Test func aLateJobIsLateAlone() async throws {
        try await QueueBench.run { bench in
            let (admission, jobs) = (bench.admission(), (0..<3).map { _ in bench.job(rollout: nil) })
            let results = try await bench.inOneTurn(3) { place, completion in
                admission.batcher.submit(
                    EnqueueStep(
                        job: jobs[place], sealed: [UInt8](repeating: 1, count: 100), rollout: nil, renews: false,
                        consumer: nil,
                        latest: place == 1 ? 1 : nil, completion: completion))
            }
            #expect(results.map(\.outcome) == [.queued(length: 1), .tooLate, .queued(length: 2)])
        }
    }

    @Test func aRepetitionIsKnownWithinTheBatch() async throws {
        try await QueueBench.run { bench in
            let jobs = [job(bench, asking: 1), job(bench, asking: 1), job(bench, asking: 2)]
            let results = try await bench.enqueue(jobs)
            #expect(results.map(\.outcome) == [.queued(length: 1), .repeats(jobs[0].insertionID), .anotherRequest])
            #expect(try await bench.members("rollout") == [jobs[0].insertionID.description])
        }
    }

    @Test func theJobsOfOneRolloutAreAllCounted() async throws {
        try await QueueBench.run { bench in
            let keys = RolloutKeys.sample
            try await bench.send("HSET", keys.verdict, "verdict", "complete")
            let jobs = (0..<3).map { _ in bench.job() }
            _ = try await bench.enqueue(jobs)
            #expect(try await bench.members(keys.set) == Set(jobs.map(\.insertionID.description)))
            #expect(try await bench.send("GET", keys.count).int == 3)
            #expect(try await bench.send("HGET", keys.record, "ids").int == 3)
            #expect(try await bench.send("EXISTS", keys.verdict).int == 0)
            for key in [keys.set, keys.count, keys.record, keys.list] {
                #expect(try await bench.send("TTL", key).int ?? -1 > 0, "\(key)")
            }
        }
    }

    @Test func theBoundsAreExactWithinABatch() async throws {
        try await QueueBench.run { bench in
            let jobs = (0..<4).map { _ in bench.job() }
            let entries = try await bench.enqueue(jobs, by: bench.admission(entries: 3))
            #expect(
                entries.map(\.outcome) == [.queued(length: 1), .queued(length: 2), .queued(length: 3), .tooManyEntries])
            try await bench.send("FLUSHALL")
            let size = jobs[0].wireBytes.count + Envelope.overhead
            let (large, small) = (bench.job(body: [UInt8](repeating: 1, count: 100)), bench.job())
            let bytes = try await bench.enqueue([jobs[0], large, small, jobs[1]], by: bench.admission(bytes: 2 * size))
            #expect(bytes.map(\.outcome) == [.queued(length: 1), .tooManyBytes, .queued(length: 2), .tooManyBytes])
            #expect(try await bench.byteCount() == 2 * size)
        }
    }

    /// First come, first served: of a batch that meets older jobs as many are given as slots were taken, the oldest
    /// first.
    @Test func theOldestAreGivenForTheSlotsOfABatch() async throws {
        try await QueueBench.run { bench in
            let stream = try await bench.forwarder("here")
            let (old, jobs) = (bench.job(), (0..<5).map { _ in bench.job() })
            _ = try await bench.admission().enqueue(old)
            // The first and the third have no slot; the fourth is refused, and its slot is for none.
            try await bench.send("SET", "taken", "a stranger's")
            let refused = bench.job(rollout: "taken")
            let batch = [jobs[0], jobs[1], jobs[2], refused, jobs[3], jobs[4]]
            let results = try await bench.enqueue(batch, givingTo: [nil, "here", nil, "here", "here", "here"])
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
            #expect(try await bench.take(stream).map(\.insertionID) == jobs[2...].map(\.insertionID.description))
            guard case .older(let delivery) = results[5].given else { throw QueueBench.NotGiven() }
            var taken = delivery
            #expect(try taken.takeJob(opening: bench.envelope) == jobs[0])
        }
    }

    @Test func withoutAGroupABatchWaits() async throws {
        try await QueueBench.run { bench in
            let jobs = (0..<3).map { _ in bench.job() }
            let results = try await bench.enqueue(jobs, givingTo: jobs.map { _ in "here" })
            #expect(
                results.map(\.outcome) == (1...3).map { .queued(length: $0) } && results.allSatisfy { $0.given == nil })
            #expect(try await bench.take(try await bench.forwarder("here")).count == 3)
        }
    }
}
