import FoundationEssentials
import TestSupport
import Testing

@testable import Common

/// Enqueuing, claiming, sending, ending, handing back, cancelling, deaths, late acts and lost answers in any order: the
/// queue is what its model says, after each act and when all is over.
@Suite(.timeLimit(.minutes(10))) struct QueueModelTests {
    /// How many runs are made, by default few enough for every test run.
    private static let runs = ProcessInfo.processInfo.environment["QUEUE_MODEL_RUNS"].flatMap { UInt64($0) } ?? 30
    private static let acts = 70

    @Test func `the queue is what its model says`() async throws {
        var options = RedisServer.Options()
        // The time of a blocked read that finds nothing is over at the server's next tick; by default there are ten a
        // second.
        options.arguments = ["--hz", "500"]
        try await withRedisServer(options) { server in
            try await withRedisClient(server.endpoint) { redis in
                for seed in 1...Self.runs {
                    guard try await agrees(QueueModelRun(QueueFixture(redis: redis), seed: seed), seed) else { return }
                    await FuzzFixture.letOthersRun()
                }
            }
        }
    }

    private func agrees(_ run: QueueModelRun, _ seed: UInt64) async throws -> Bool {
        var run = run
        do {
            try await run.begin()
            for _ in 0..<Self.acts { try await run.act() }
            try await run.end()
            return true
        } catch let difference as QueueModelRun.Difference {
            Issue.record("seed \(seed): \(difference.what)\n\(run.history.suffix(30).joined(separator: "\n"))")
            return false
        }
    }
}
