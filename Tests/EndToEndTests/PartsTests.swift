import Common
import Redis
import Subprocess
import TestSupport
import Testing

/// The parts as processes of their own, around a Redis that asks for a password.
@Suite(.timeLimit(.minutes(5))) struct PartsTests {
    private static func options() -> RedisServer.Options {
        var options = RedisServer.Options()
        options.listensOnTCP = true
        options.password = SecretString("redis-canary-12")
        return options
    }

    private static func environment(_ redis: RedisServer) throws -> [String: String] {
        let address = try #require(redis.tcpEndpoint).address
        guard case .tcp(_, let port) = address else { return [:] }
        return [
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "\(port)", "REDIS_PASSWORD": "redis-canary-12",
            "HOST": "127.0.0.1", "PORT": "0",
            "GATEWAY_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "LANGFUSE_HOST": "http://127.0.0.1:9",
        ]
    }

    private func pending(_ redis: RedisClient) async throws -> Int {
        try await redis.send(RedisCommand("XPENDING", Keys.jobs, Keys.jobGroup))[0].int ?? 0
    }

    /// A forwarder dies in the middle of a call: another takes the call over when the first one's liveness has run out,
    /// after 15 seconds, and the client that waits gets its answer within the 30 that are promised.
    @Test func `another forwarder answers for a dead one`() async throws {
        try await withRedisServer(Self.options()) { server in
            let environment = try Self.environment(server)
            try await ProgramFolder.with { folder in
                let ingress = try await folder.run("metadata-gateway", arguments: ["ingress"], environment: environment)
                {
                    ingress in
                    let port = try port(in: try await ingress.line(with: "listens on"))
                    try await answerAfterADeath(folder, environment: environment, server: server, port: port)
                }
                #expect(ingress.code == 0, "\(ingress.output)")
                #expect(!ingress.output.contains("redis-canary-12"))
            }
        }
    }

    private func answerAfterADeath(
        _ folder: ProgramFolder, environment: [String: String], server: RedisServer, port: Int
    ) async throws {
        try await withRedisClient(server.endpoint) { redis in
            try await withRawClient(to: port) { client in
                let first = try await folder.run("metadata-gateway", arguments: ["forwarder"], environment: environment)
                { first in
                    try await first.line(with: "takes up to")
                    try await client.send("POST", ServeTests.path, body: ServeTests.body("mock/echo?delay_ms=1000"))
                    try await eventually { (try? await pending(redis)) == 1 }
                    try first.send(.kill)
                }
                #expect(first.code == nil)
                let death = ContinuousClock.now
                let second = try await folder.run(
                    "metadata-gateway", arguments: ["forwarder"], environment: environment
                ) { _ in
                    let answer = try await client.answer()
                    #expect(answer.status == 200)
                    #expect(death.duration(to: .now) < .seconds(30))
                    #expect(try await pending(redis) == 0)
                    #expect(try await redis.send(RedisCommand("SCARD", "demo")).int == 1, "one completion, one id")
                }
                #expect(second.code == 0, "\(second.output)")
            }
        }
    }

    /// What is wrong with the start is said with its repair, in one line each, and with the exit code of a bad
    /// configuration.
    @Test(arguments: [
        ("ingress", "REDIS_HOST", "must be set for `ingress`"), ("ingress", "GATEWAY_KEY", "openssl rand -base64 32"),
        ("forwarder", "REDIS_HOST", "must be set for `forwarder`"),
        ("forwarder", "GATEWAY_KEY", "openssl rand -base64 32"),
    ])
    func `what is missing is named`(command: String, variable: String, repair: String) async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.run("metadata-gateway", arguments: [command])
            #expect(ending.code == 78)
            let line = try #require(
                ending.output.split(separator: "\n").first { $0.contains(": \(variable): error:") }, "\(ending.output)")
            #expect(line.contains(repair))
        }
    }

    @Test(arguments: [
        ("PORT", "http", "`http`"), ("PORT", "70000", "65535"), ("REDIS_PORT", "0", "65535"),
        ("LOG_LEVEL", "loud", "`loud`"),
        ("MAX_HEADERS", "1", "16"), ("REQUEST_TIMEOUT", "-1", "`-1`"), ("GATEWAY_KEY", "key-canary", "32 bytes"),
    ])
    func `a bad value stops the start`(variable: String, value: String, part: String) async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.run("metadata-gateway", arguments: ["serve"], environment: [variable: value])
            #expect(ending.code == 78)
            #expect(
                ending.output.contains("environment: \(variable): error:") && ending.output.contains(part),
                "\(ending.output)")
            #expect(!ending.output.contains("key-canary"), "a key is not repeated")
            #expect(try folder.contents().isEmpty, "nothing was begun")
        }
    }
}
