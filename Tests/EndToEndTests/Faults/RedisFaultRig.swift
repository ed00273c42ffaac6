import Common
import TestSupport
import Testing

/// An ingress and two forwarders as processes of their own around a redis-server with an append-only file, and a provider that notes what it is asked.
struct RedisFaultRig {
    let port: Int
    let server: RedisServer
    let provider: RecordingProvider

    /// - Parameter commandTimeout: `REDIS_COMMAND_TIMEOUT_MS` of all three.
    static func run(commandTimeout: Int = 400, _ body: (RedisFaultRig) async throws -> Void) async throws {
        var options = RedisServer.Options()
        options.isDurable = true
        try await withRedisServer(options) { server in
            try await RecordingProvider.run { provider in
                let environment = [
                    "REDIS_HOST": "unix:" + server.folder + "/redis.sock", "REDIS_COMMAND_TIMEOUT_MS": "\(commandTimeout)",
                    "GATEWAY_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "HOST": "127.0.0.1", "PORT": "0", "DRAIN_SECONDS": "2",
                    "LITELLM_URL": "http://127.0.0.1:\(provider.port)", "LANGFUSE_HOST": "embedded",
                    // So that a lost request ends in time, as a failure of the test.
                    "REQUEST_TIMEOUT": "60",
                ]
                try await ProgramFolder.with { folder in
                    try await runParts(in: folder, environment) { port in
                        try await body(RedisFaultRig(port: port, server: server, provider: provider))
                    }
                }
            }
        }
    }

    private static func runParts(in folder: ProgramFolder, _ environment: [String: String], _ body: (_ port: Int) async throws -> Void) async throws {
        try await run(folder, "ingress", environment) { ingress in
            let port = try EndToEndTests.port(in: try await ingress.line(with: "listens on"))
            try await run(folder, "forwarder", environment) { _ in
                try await run(folder, "forwarder", environment) { _ in
                    try await withRawClient(to: port) { client in
                        try await eventually(within: .seconds(30)) { try await client.call("GET", "/ready").text.contains(#""forwarders":2"#) }
                    }
                    try await body(port)
                }
            }
        }
    }

    private static func run(
        _ folder: ProgramFolder, _ part: String, _ environment: [String: String], _ body: (GatewayProcess) async throws -> Void
    ) async throws {
        let ending = try await folder.run("metadata-gateway", [part], environment: environment, body)
        #expect(ending.code == 0, "\(part): \(ending.output)")
    }

    /// New requests are refused within a second, and told when to come again.
    func expectRefusals() async throws {
        for _ in 0..<4 {
            let start = ContinuousClock.now
            let answer = try await withRawClient(to: port) { client in
                try await client.call("POST", ServeTests.path, body: ServeTests.body("m"))
            }
            #expect(start.duration(to: .now) < .seconds(1))
            #expect(answer.status == 503 && answer.error?.code == "queue_unavailable")
            #expect(answer["retry-after"].flatMap { Int($0) }.map { (1...60).contains($0) } == true)
        }
    }

    /// The set and the job stream, as they are at one moment.
    func snapshot() async throws -> RedisFaultLedger.Snapshot {
        try await withRedisClient(server.endpoint) { redis in
            let replies = try await redis.send(batch: [
                RedisCommand("MULTI"), RedisCommand("SMEMBERS", RedisFaultLoad.rollout), RedisCommand("XRANGE", Keys.jobs, "-", "+"),
                RedisCommand("EXEC"),
            ])
            let moment = try #require(replies.last)
            return RedisFaultLedger.Snapshot(
                recorded: Set((moment[0].array ?? []).compactMap(\.string)), queued: Set((moment[1].array ?? []).compactMap { $0[1][1].string }))
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
            let staying = ["responses/", "response/", "bell/", "forwarder/", "cancelled/", "rollout/", "rollouts/"].map { "gateway/" + $0 }
            #expect(keys.filter { key in key != Keys.jobs && !staying.contains { key.hasPrefix($0) } } == [], "left behind")
        }
        return try await snapshot().recorded
    }
}

extension RedisFaultRig {
    /// Stops Redis where it stands while `body` runs, and for at least so long.
    func freeze(_ time: Duration, _ body: () async throws -> Void) async throws {
        let end = ContinuousClock.now + time
        server.pause()
        defer { server.resume() }
        try await body()
        // allowed: the fault lasts this long
        try await Task.sleep(until: end)
    }
}
