import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// What becomes of a batch when Redis or the way to it fails: all of its jobs hear the same, and each is repeated by
/// itself.
@Suite(.timeLimit(.minutes(5))) struct BatchFaultTests {
    /// Redis does what it was asked and its reply is lost.
    @Test func `a lost reply is lost for each job`() async throws {
        try await withRedisServer { server in
            var impatient = server.endpoint
            impatient.commandTimeout = .seconds(1)
            try await withRedisClient(server.endpoint) { watching in
                try await withRedisClient(impatient) { redis in
                    let (watcher, fixture) = (QueueFixture(redis: watching), QueueFixture(redis: redis))
                    let here = try await fixture.forwarder("here")
                    let jobs = (0..<4).map { _ in fixture.job() }
                    let given = zip(jobs, try await fixture.give(jobs, to: "here")).map {
                        QueueFixture.End(job: $0, delivery: $1)
                    }
                    // From now on the server knows the script.
                    #expect(try await fixture.finish([given[3]], by: here).map(\.isOwner) == [true])
                    let ends = Array(given[..<3])
                    server.pause()
                    let lost = try await fixture.finish(ends, by: here)
                    for result in lost {
                        guard case .failure(let error) = result else { throw NotLost() }
                        #expect(error.mayHaveBeenExecuted)
                    }
                    server.resume()
                    try await eventually { try await watcher.send("XLEN", Keys.jobs).int == 0 }
                    try await fixture.redis.waitUntilReady(timeout: .seconds(10))
                    try await eventually {
                        try await fixture.finish(ends, by: here).map(\.isOwner) == [false, false, false]
                    }
                    let set = RolloutKeys.sample.set
                    for end in ends {
                        try await eventually {
                            try await here.hasEnded(end.delivery, end.job.insertionID, recordedIn: set, succeeded: true)
                        }
                    }
                }
            }
        }
    }

    private struct NotLost: Error {}

    /// Redis is killed while batches are on their way to it: of each batch all jobs are queued and recorded, or none
    /// is, and what was confirmed is there.
    @Test func `a killed Redis has a batch wholly or not at all`() async throws {
        var options = RedisServer.Options()
        options.isDurable = true
        try await withRedisServer(options) { server in
            try await withRedisClient(server.endpoint) { redis in
                let fixture = QueueFixture(redis: redis)
                let (confirmed, isUnderWay) = (Counter(), TestSignal())
                async let killed: Void = {
                    await isUnderWay.wait()
                    server.kill()
                }()
                let sent = try await withThrowingTaskGroup(of: [Sent].self) { group in
                    // Several at a time, so that some are on their way when the server goes.
                    for _ in 0..<4 {
                        group.addTask {
                            let admission = fixture.admission()
                            var sent: [Sent] = []
                            while sent.last.map({ $0.results[0] }) ?? true {
                                let jobs = (0..<5).map { _ in fixture.job() }
                                let results = try await fixture.enqueue(jobs, by: admission).map { $0.outcome != nil }
                                sent.append(Sent(ids: jobs.map(\.insertionID.description), results: results))
                                if results[0] { confirmed.add(5) }
                                if confirmed.value >= 50 { isUnderWay.send() }
                            }
                            return sent
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                isUnderWay.send()
                await killed
                try await server.start()
                try await redis.waitUntilReady(timeout: .seconds(10))
                let queued = Set(
                    (try await fixture.send("XRANGE", Keys.jobs, "-", "+").array ?? []).compactMap { $0[1][1].string })
                #expect(try await fixture.members("rollout") == queued)
                for batch in sent {
                    #expect(Set(batch.results).count == 1, "one reply, or none")
                    #expect(Set(batch.ids.map(queued.contains)).count == 1, "all of it, or nothing")
                    if batch.results[0] { #expect(queued.contains(batch.ids[0])) }
                }
            }
        }
    }

    private struct Sent {
        let ids: [String]
        /// Whether each was confirmed.
        let results: [Bool]
    }
}
