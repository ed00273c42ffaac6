import Common
import Redis
import TestSupport
import Testing

/// An ingress and two forwarders as processes of their own around a redis-server with an append-only file, and a
/// provider that notes what it is asked.
struct RedisFaultRig {
    let port: Int
    let server: RedisServer
    let provider: CountingProvider
    /// Each with what it says when it gives up a blocked read.
    private let parts: [(process: GatewayProcess, interruption: String)]

    /// - Parameters:
    ///   - commandTimeout: `REDIS_COMMAND_TIMEOUT_MS` of all three.
    ///   - inOneProcess: whether `serve` runs instead, where jobs are handed over within the process.
    static func run(
        commandTimeout: Int = 400, inOneProcess: Bool = false, _ body: (RedisFaultRig) async throws -> Void
    ) async throws {
        var options = RedisServer.Options()
        options.isDurable = true
        let environment = [
            "REDIS_COMMAND_TIMEOUT_MS": "\(commandTimeout)", "DRAIN_SECONDS": "2",
            "LANGFUSE_HOST": "http://127.0.0.1:9", "LOG_LEVEL": "debug",
            // So that a lost request ends in time, as a failure of the test.
            "REQUEST_TIMEOUT": "60",
        ]
        var endings: [GatewayProcess.Ending] = []
        try await GatewayFleet.run(redis: options, provider: .paced, environment: environment) { fleet in
            if inOneProcess {
                endings += [
                    try await fleet.serve { process, port in
                        let parts = [(process, "job stream interrupted")]
                        try await body(
                            RedisFaultRig(port: port, server: fleet.server, provider: fleet.provider, parts: parts))
                    }
                ]
                return
            }
            endings += [
                try await fleet.ingress { ingress, port in
                    endings += [
                        try await fleet.forwarder { first in
                            endings += [
                                try await fleet.forwarder { second in
                                    try await eventually(within: .seconds(30)) { try await fleet.alive().count == 2 }
                                    let parts =
                                        [(ingress, "response stream interrupted")]
                                        + [first, second].map { ($0, "job stream interrupted") }
                                    try await body(
                                        RedisFaultRig(
                                            port: port, server: fleet.server, provider: fleet.provider, parts: parts))
                                }
                            ]
                        }
                    ]
                }
            ]
        }
        for ending in endings { #expect(ending.code == 0, "\(ending.output.suffix(4000))") }
    }

    /// New requests are refused within a second, and told when to come again.
    func expectRefusals() async throws {
        let time = try await shortestTime {
            let answer = try await withRawClient(to: port) { client in
                try await client.call("POST", ServeTests.path, body: ServeTests.body("m"))
            }
            #expect(answer.status == 503 && answer.error?.code == "queue_unavailable")
            #expect(answer["retry-after"].flatMap { Int($0) }.map { (1...60).contains($0) } == true)
        }
        #expect(time < .seconds(1))
    }

    /// The set and the job stream, as they are at one moment.
    func snapshot() async throws -> RedisFaultLedger.Snapshot {
        try await withRedisClient(server.endpoint) { redis in
            let replies = try await redis.send(batch: [
                RedisCommand("MULTI"), RedisCommand("SMEMBERS", RedisFaultLoad.rollout),
                RedisCommand("XRANGE", Keys.jobs, "-", "+"),
                RedisCommand("EXEC"),
            ])
            let moment = try #require(replies.last)
            return RedisFaultLedger.Snapshot(
                recorded: Set((moment[0].array ?? []).compactMap(\.string)),
                queued: Set((moment[1].array ?? []).compactMap { $0[1][1].string }))
        }
    }

    /// Waits until nothing is queued or running, and looks whether only what is meant to stay has stayed.
    /// - Returns: the ids in the set.
    func settle(within limit: Duration = .seconds(60)) async throws -> Set<String> {
        try await withRedisClient(server.endpoint) { redis in
            try await eventually(within: limit) { (try? await redis.send(RedisCommand("XLEN", Keys.jobs)).int) == 0 }
            let pending = try await redis.send(RedisCommand("XPENDING", Keys.jobs, Keys.jobGroup))[0].int
            #expect(pending == 0)
            let keys = try await redis.send(RedisCommand("KEYS", "gateway/*")).array?.compactMap(\.string) ?? []
            let staying = [
                "responses", "response", "bell", "forwarder", "verifier", "cancelled", "rollout", "rollouts", "count",
                "span", "traces",
                "trace", "key", "requests", "querier",
            ].map { "gateway/\($0)/" }
            let known = [
                Keys.jobs, Keys.verifications, Keys.verifierTrouble, Keys.queries, Keys.requests, Keys.ingresses,
                Keys.ingressRules, Keys.kept,
            ]
            let left = keys.filter { key in !known.contains(key) && !staying.contains { key.hasPrefix($0) } }
            #expect(left == [], "left behind")
        }
        return try await snapshot().recorded
    }
}

extension RedisFaultRig {
    /// Stops Redis where it stands while `body` runs, and until every part has given up its blocked read, the longest
    /// of its waits.
    func freezeForLong(_ body: () async throws -> Void) async throws {
        server.pause()
        defer { server.resume() }
        try await body()
        for (process, interruption) in parts {
            while try await !process.line(with: interruption).contains("no answer in time") {}
        }
    }

    /// Stops Redis where it stands until the provider has answered all that it was asked: everybody waits for Redis
    /// alone.
    func freezeForAMoment() async throws {
        server.pause()
        defer { server.resume() }
        try await eventually { provider.held.isEmpty }
    }
}
