import Common
import Crypto
import FoundationEssentials
import Redis
import TestSupport
import Testing

/// Every secret that a gateway is given, looked for in everything that it says and writes down: answers, logs, Redis,
/// its files, dead letters.
@Suite(.timeLimit(.minutes(5))) struct SecretsTests {
    private static let gatewayKey = Array("gateway-key-canary-0123456789abc".utf8)
    private static let secrets = """
        langfuse_keys:
          main:
            public_key: pk-lf-canary-1
            secret_key: sk-lf-canary-1
        provider_keys:
          openai: openai-canary-1
        """
    private static let canaries: [String: String] = [
        "the client's key": "client-canary-1", "the key in a body": "body-canary-1",
        "the account's key": "account-canary-1",
        "the provider's key": "openai-canary-1", "the Langfuse public key": "pk-lf-canary-1",
        "the Langfuse secret key": "sk-lf-canary-1",
        "the LiteLLM key": "litellm-canary-1", "Redis's password": "redis-canary-1", "the prompt": "prompt-canary-1",
        "a member of a body": "member-canary-1", "a value of metadata": "metadata-canary-1",
    ]

    /// - Parameter prompt: whether the prompt is one of the secrets. The mock echoes it, to the client that sent it.
    private static func search(prompt: Bool = true) -> CanarySearch {
        var bytes = canaries.mapValues { Array($0.utf8) }
        if !prompt { bytes["the prompt"] = nil }
        bytes["GATEWAY_KEY"] = Array(Data(gatewayKey).base64EncodedString().utf8)
        bytes["the bytes of GATEWAY_KEY"] = gatewayKey
        return CanarySearch(bytes: bytes)
    }

    /// Bodies that go well, and that fail in each part of the gateway.
    private static let bodies: [String] = [
        HostileGateway.body("hostile/good"), HostileGateway.body("hostile/cut"),
        HostileGateway.body("hostile/cut", stream: true),
        HostileGateway.body("hostile/429"), HostileGateway.body("hostile/500"), HostileGateway.body("hostile/garbage"),
        HostileGateway.body("nobody/x"), HostileGateway.body("openai/good"), HostileGateway.body("openai/500"),
        HostileGateway.body("azure/x"),
        HostileGateway.body("mock/echo?fail=connect"), HostileGateway.body("mock/echo?fail=cut", stream: true),
        HostileGateway.body("mock/nope"),
        HostileGateway.body("mock/echo?x=member-canary-1"), HostileGateway.body("closed/x"),
        "{", "[]", #"{"model": 1}"#, #"{"model": "a", "model": "b"}"#, #"{"Model": "a"}"#, "member-canary-1",
    ].map {
        $0.replacing(
            #""messages": []"#,
            with: #""messages": [{"role": "user", "content": "prompt-canary-1"}], "api_key": "body-canary-1""#)
    }

    /// Runs a gateway that has been given every secret there is, around a Redis that syncs its file on each write.
    private func withGateway(
        keys: Bool, logLevel: String, _ body: (HostileGateway, RedisServer, Recorder) async throws -> Void
    ) async throws {
        var options = RedisServer.Options()
        (options.isDurable, options.listensOnTCP, options.password) = (true, true, SecretString("redis-canary-1"))
        let asked = Recorder()
        try await withRedisServer(options) { server in
            try await ScriptedServer.run { connection in
                guard let request = try await connection.request() else { return }
                await asked.add(request)
                try await Self.answer(request, on: connection)
            } _: { provider in
                try await ProgramFolder.with { folder in
                    try folder.write(Self.secretsFile(provider.port), to: "secrets.yaml")
                    try folder.write(Self.keysFile, to: "keys.yaml")
                    let environment = try Self.environment(
                        server, provider: provider.port, keys: keys, logLevel: logLevel)
                    let ending = try await folder.serve(environment: environment) { process, port in
                        let gateway = HostileGateway(process: process, port: port, folder: folder, provider: provider)
                        try await body(gateway, server, asked)
                    }
                    #expect(ending.code == 0)
                    #expect(ending.output.count > 1000, "there is a log to look at")
                    Self.search().expectNone(in: Array(ending.output.utf8), "the log")
                }
            }
            for name in try FileManager.default.subpathsOfDirectory(atPath: server.folder) {
                guard let bytes = FileManager.default.contents(atPath: server.folder + "/" + name) else { continue }
                Self.search().expectNone(in: Array(bytes), "Redis's file \(name)")
            }
        }
    }

    private static func answer(_ request: String, on connection: ScriptedServer.Connection) async throws {
        let name = request.firstMatch(of: /"model": "(\w+)"/).map { String($0.1) } ?? ""
        switch name {
        case "cut":
            try await connection.write(
                ScriptedServer.Connection.events + ScriptedServer.Connection.chunked + "9\r\ndata: x\n\n\r\n")
        case "429", "500":
            try await connection.write("HTTP/1.1 \(name) No\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        case "garbage": try await connection.write("garbage\r\n\r\n")
        default: try await connection.write(HostileGateway.good)
        }
    }

    private static func secretsFile(_ port: Int) -> String {
        let closed = "  closed:\n    base_url: http://127.0.0.1:1/v1\n    key: account-canary-1\n"
        return secrets
            + "\naccounts:\n  hostile:\n    base_url: http://127.0.0.1:\(port)/v1\n    key: account-canary-1\n" + closed
    }

    private static var keysFile: String {
        let digest = SHA256.hash(data: Array("client-canary-1".utf8)).map {
            String(Int($0) + 0x100, radix: 16).dropFirst()
        }.joined()
        return "keys:\n  - id: a\n    account: team\n    sha256: \(digest)\n    projects: [main]\n"
    }

    private static func environment(
        _ server: RedisServer, provider: Int, keys: Bool, logLevel: String
    ) throws -> [String: String] {
        guard case .tcp(_, let port) = try #require(server.tcpEndpoint).address else { return [:] }
        var environment = [
            "FORWARDER_CONCURRENCY": "1", "OPENAI_BASE_URL": "http://127.0.0.1:\(provider)/v1",
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "\(port)",
            "REDIS_PASSWORD": "redis-canary-1", "LOG_LEVEL": logLevel,
            "GATEWAY_KEY": Data(gatewayKey).base64EncodedString(), "LANGFUSE_HOST": "embedded",
            "LITELLM_API_KEY": "litellm-canary-1",
        ]
        if keys { environment["API_KEYS_PATH"] = "keys.yaml" }
        return environment
    }

    @Test(arguments: [true, false], ["trace", "debug"]) func `no secret is said or written down`(
        keys: Bool, logLevel: String
    ) async throws {
        try await withGateway(keys: keys, logLevel: logLevel) { gateway, server, asked in
            try await withRedisClient(server.endpoint) { redis in
                try await callInEachWay(gateway)
                try await makeDeadLetters(gateway, redis)
                try await Self.search().expectNone(in: redis)
            }
            let sent = await asked.everything
            // Each key goes where it belongs: an account's own always, a client's before the operator's.
            for key in keys ? ["account-canary-1", "body-canary-1"] : ["account-canary-1", "client-canary-1"] {
                #expect(sent.contains("Bearer \(key)"), "\(key) was used")
            }
            #expect(!keys || !sent.contains("client-canary-1"), "a key of the gateway is not a provider's business")
            let provider = ["the account's key", "the client's key", "the key in a body", "the prompt"]
            CanarySearch(Self.canaries.filter { !provider.contains($0.key) }).expectNone(
                in: Array(sent.utf8), "the calls")
        }
    }

    private func callInEachWay(_ gateway: HostileGateway) async throws {
        let key = "Authorization: Bearer client-canary-1"
        let metadata = #"X-TFY-METADATA: {"customer":"metadata-canary-1"}"#
        for body in Self.bodies {
            for headers in [
                [key], ["Authorization: Bearer wrong-key"], [key, "Prefer: respond-async"],
                [key, "Idempotency-Key: 1"],
            ] {
                try await withRawClient(to: gateway.port) { client in
                    try await client.send(
                        "POST", ServeTests.path, headers: headers + [metadata, "Connection: close"], body: body)
                    let said = await client.untilClosed()
                    #expect(said.starts(with: "HTTP/1.1 ".utf8), "\(body)")
                    Self.search(prompt: !body.contains("mock/")).expectNone(in: said, "the answer to \(body)")
                }
            }
        }
        for target in [
            "/models", "/v1/files", "/project_id/other/models", "/jobs/01890a5d-ac96-774b-bcce-b302099a8057", "/ready",
            "/health", "/nowhere%zz",
        ] {
            let answer = try await withRawClient(to: gateway.port) { try await $0.call("GET", target, headers: [key]) }
            Self.search().expectNone(in: answer, target)
        }
    }

    /// Three ways to the dead letters: an entry that is none, a job under another's name, and a job that no forwarder
    /// survived.
    private func makeDeadLetters(_ gateway: HostileGateway, _ redis: RedisClient) async throws {
        let before = try await redis.send(RedisCommand("XLEN", Keys.jobs)).int ?? 0
        try await withRawClient(to: gateway.port) { waiting in
            try await withRawClient(to: gateway.port) { running in
                // The only slot is taken, so that the second job stays in the queue, where the test gives it to a
                // forwarder that is none.
                for (client, count) in [(running, 1), (waiting, 2)] {
                    let body = Self.bodies[0].replacing("hostile/good", with: "mock/echo?delay_ms=600000")
                    try await client.send(
                        "POST", ServeTests.path, headers: ["Authorization: Bearer client-canary-1"], body: body)
                    try await eventually { try await redis.send(RedisCommand("XLEN", Keys.jobs)).int == before + count }
                    if count == 1 {
                        try await eventually {
                            try await redis.send(RedisCommand("XPENDING", Keys.jobs, Keys.jobGroup))[0].int == 1
                        }
                    }
                }
                let given = try await redis.send(
                    RedisCommand("XREADGROUP", "GROUP", Keys.jobGroup, "nobody", "COUNT", 1, "STREAMS", Keys.jobs, ">"))[
                        0][1][0]
                _ = try await redis.send(
                    RedisCommand(
                        "XCLAIM", Keys.jobs, Keys.jobGroup, "nobody", 0, given[0].string ?? "", "RETRYCOUNT", 9))
                _ = try await redis.send(RedisCommand("XADD", Keys.jobs, "*", "i", "none", "p", "garbage"))
                let sealed = try #require(given[1][3].bytes)
                _ = try await redis.send(
                    RedisCommand("XADD", Keys.jobs, "*", "i", "01890a5d-ac96-774b-bcce-b302099a8057", "p", sealed))
            }
            let answer = try await waiting.answer()
            #expect(answer.status == 502 && answer.error?.code == "dead_lettered", "\(answer.text)")
            Self.search().expectNone(in: answer, "a job that died")
        }
        try await eventually(within: .seconds(30)) { try await redis.send(RedisCommand("XLEN", Keys.dead)).int == 3 }
    }
}
