import Common
import Glibc
import Redis
import TestSupport
import Testing

/// The redis-server that `serve` starts dies under load: it is started again, and the calls go on.
@Suite(.timeLimit(.minutes(5))) struct RedisOfServeTests {
    /// `everysec` writes what it confirms to the file at once, but not while an earlier part of it is being synced:
    /// then for up to two seconds it does not.
    private static let mayBeLost = Duration.seconds(2)

    private func processOfRedis(_ folder: ProgramFolder) async throws -> Int32 {
        let info = try await withRedisClient(folder.redis) {
            try await $0.send(RedisCommand("INFO", "server")).string ?? ""
        }
        let line = try #require(info.split(separator: "\r\n").first { $0.hasPrefix("process_id:") })
        return try #require(Int32(line.dropFirst("process_id:".count)))
    }

    private func recorded(_ folder: ProgramFolder) async throws -> Set<String> {
        try await withRedisClient(folder.redis) { redis in
            try await eventually(within: .seconds(60)) {
                try await redis.send(RedisCommand("XLEN", Keys.jobs)).int == 0
            }
            let members = RedisCommand("SMEMBERS", RedisFaultLoad.rollout)
            return Set(try await redis.send(members).array?.compactMap(\.string) ?? [])
        }
    }

    @Test func `it comes back and the calls go on`() async throws {
        try await CountingProvider.run(.paced) { provider in
            try await ProgramFolder.with { folder in
                let environment = [
                    "LITELLM_URL": "http://127.0.0.1:\(provider.port)", "REQUEST_TIMEOUT": "30", "DRAIN_SECONDS": "2",
                ]
                let ending = try await folder.serve(environment: environment) { process, port in
                    var death = ContinuousClock.now
                    let outcomes = try await RedisFaultLoad.run(port: port) { load in
                        try await load.everyClientSucceeds()
                        let killed = try await processOfRedis(folder)
                        death = .now
                        #expect(kill(killed, SIGKILL) == 0)
                        try await process.line(with: "starting it again")
                        try await load.everyClientSucceeds()
                        #expect(try await processOfRedis(folder) != killed)
                    }
                    expect(outcomes, death: death)
                    RedisFaultLedger(outcomes, provider).expectRecorded(
                        try await recorded(folder), lossyWhen: death - Self.mayBeLost...death)
                }
                #expect(ending.code == 0, "\(ending.output)")
            }
        }
    }

    /// Calls that began before the death and were still waiting may be lost; they are told so at their deadline. No
    /// others.
    private func expect(_ outcomes: [RedisFaultLoad.Outcome], death: ContinuousClock.Instant) {
        let refused = outcomes.filter { !$0.succeeded && !($0.status == 504 && $0.began <= death) }
        RedisFaultLedger.expectRefusals(refused)
    }
}
