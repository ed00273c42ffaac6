import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// A job whose client has been told that it is not queued is not queued, whenever Redis comes to it.
@Suite(.timeLimit(.minutes(5))) struct LateAdmissionTests {
    private func fixture(_ endpoint: RedisEndpoint, _ body: (QueueFixture) async throws -> Void) async throws {
        try await withRedisClient(endpoint) { try await body(QueueFixture(redis: $0)) }
    }

    /// How often Redis has executed a script.
    private func executions(_ fixture: QueueFixture) async throws -> Int {
        let text = try await fixture.send("INFO", "commandstats").string ?? ""
        let calls = text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("cmdstat_eval") }
        return calls.compactMap { $0.split(separator: "=").dropFirst().first?.prefix { $0 != "," } }.compactMap {
            Int($0)
        }.reduce(0, +)
    }

    @Test func `a server that stood still queues nothing that has no waiter`() async throws {
        try await withRedisServer { server in
            var impatient = server.endpoint
            impatient.commandTimeout = .milliseconds(500)
            try await fixture(server.endpoint) { watcher in
                try await fixture(impatient) { fixture in
                    let admission = fixture.admission()
                    #expect(try await admission.enqueue(fixture.job()) == .queued(length: 1))
                    let before = (try await executions(watcher), try await watcher.dump())
                    server.pause()
                    let error = await #expect(throws: RedisError.self) {
                        _ = try await admission.enqueue(fixture.job())
                    }
                    #expect(error?.mayHaveBeenExecuted == true)
                    // The command lies in the server's socket meanwhile; its time must be over by the server's clock as
                    // well.
                    let isOver = ContinuousClock.now + .milliseconds(500)
                    try await eventually { ContinuousClock.now > isOver }
                    server.resume()
                    try await eventually { (try? await executions(watcher)) ?? 0 > before.0 }
                    #expect(try await watcher.dump() == before.1)
                    try await fixture.redis.waitUntilReady(timeout: .seconds(10))
                    // And goes on as before; on a busy machine a command may be late once more, and is not executed
                    // then.
                    try await eventually { try await admission.enqueue(fixture.job()) == .queued(length: 2) }
                }
            }
        }
    }

    /// An administrator may set the server's clock, forwards or back.
    @Test(arguments: [-3_600_000, 3_600_000]) func `a clock that was set is learned anew`(error: Int) async throws {
        try await QueueFixture.run { fixture in
            let clock = RedisClock()
            clock.learn(Timestamp.now + error, asked: .now)
            let admission = JobAdmission(
                redis: fixture.redis, envelope: fixture.envelope,
                limits: .init(entries: 10, bytes: 1 << 20, rolloutTTL: .seconds(10), spanBytes: 1),
                keySpace: .local, clock: clock)
            #expect(try await admission.enqueue(fixture.job()) == .queued(length: 1))
            // What is too early a time is noticed at once, what is too late with the first quick answer.
            try await eventually {
                _ = try await admission.enqueue(fixture.job())
                let difference = try #require(clock.time(at: .now)) - Timestamp.now
                return abs(difference.milliseconds) < 5000
            }
        }
    }
}
