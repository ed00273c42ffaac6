import Common
import Redis
import TestSupport
import Testing

/// The gateway's parts as processes of their own over a private Redis, with an account whose provider the test plays.
struct GatewayFleet {
    private static let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    let folder: ProgramFolder
    let server: RedisServer
    let redis: RedisClient
    let provider: CountingProvider
    let environment: [String: String]

    /// Lends a Redis and a provider to `body`, which starts the processes that it wants.
    /// - Parameters:
    ///   - manner: how the provider answers. It is the account `held`; one that answers by itself is asked for every
    ///     model.
    ///   - langfuseKeys: those of the project `main`; nil: nothing is traced.
    static func run(
        redis options: RedisServer.Options = .init(), provider manner: CountingProvider.Manner = .held,
        langfuseKeys keys: LangfuseKeys? = nil,
        environment: [String: String] = [:],
        _ body: (GatewayFleet) async throws -> Void
    ) async throws {
        try await withRedisServer(options) { server in
            try await withRedisClient(server.endpoint) { redis in
                try await CountingProvider.run(manner) { provider in
                    try await ProgramFolder.with { folder in
                        try folder.write(secrets(provider: provider.port, keys), to: "secrets.yaml")
                        var variables = [
                            "REDIS_HOST": "unix:" + server.folder + "/redis.sock", "GATEWAY_KEY": key,
                            "HOST": "127.0.0.1", "PORT": "0",
                        ]
                        variables["SECRETS_PATH"] = "secrets.yaml"
                        if manner == .paced { variables["LITELLM_URL"] = "http://127.0.0.1:\(provider.port)" }
                        variables.merge(environment) { $1 }
                        try await body(
                            GatewayFleet(
                                folder: folder, server: server, redis: redis, provider: provider, environment: variables
                            ))
                    }
                }
            }
        }
    }

    private static func secrets(provider port: Int, _ keys: LangfuseKeys?) -> String {
        let account = #""accounts": {"held": {"base_url": "http://127.0.0.1:\#(port)/v1", "key": "sk-held"}}"#
        guard let keys else { return "{\(account)}" }
        let (known, secret) = (keys.publicKey.reveal(), keys.secretKey.reveal())
        return
            #"{\#(account), "default_project_id": "main", "langfuse_keys": {"main": {"public_key": "\#(known)", "secret_key": "\#(secret)"}}}"#
    }

    /// Runs an ingress on a free port while `body` does, from when it has its Redis.
    /// - Parameter variables: more than the fleet's own.
    @discardableResult
    func ingress(
        _ variables: [String: String] = [:], _ body: (GatewayProcess, _ port: Int) async throws -> Void
    ) async throws -> GatewayProcess.Ending {
        try await process("ingress", variables: variables) { process in
            let port = try EndToEndTests.port(in: try await process.line(with: "listens on"))
            try await withRawClient(to: port) { client in
                try await eventually(within: .seconds(30)) {
                    try await client.call("GET", "/ready").text.contains(#""redis":true"#)
                }
            }
            try await body(process, port)
        }
    }

    /// Runs `serve` on a free port while `body` does, over the fleet's Redis and without traces.
    @discardableResult
    func serve(_ body: (GatewayProcess, _ port: Int) async throws -> Void) async throws -> GatewayProcess.Ending {
        let variables = ["DATA_DIR": "data-\(UInt32.random(in: 0...(.max)))", "LANGFUSE_HOST": "http://127.0.0.1:9"]
        return try await process("serve", variables: variables) { process in
            try await body(process, try EndToEndTests.port(in: try await process.line(with: "listens on")))
        }
    }

    /// Runs a forwarder while `body` does.
    @discardableResult
    func forwarder(_ body: (GatewayProcess) async throws -> Void) async throws -> GatewayProcess.Ending {
        try await process("forwarder") { process in
            try await process.line(with: "takes up to")
            try await body(process)
        }
    }

    /// Runs forwarders while `body` does.
    func forwarders(_ count: Int, _ body: () async throws -> Void) async throws {
        guard count > 0 else { return try await body() }
        try await forwarder { _ in try await forwarders(count - 1, body) }
    }

    /// Runs a part with more variables than the fleet's own.
    func process(
        _ part: String, variables: [String: String] = [:], body: (GatewayProcess) async throws -> Void
    ) async throws -> GatewayProcess.Ending {
        try await folder.run(
            "metadata-gateway", arguments: [part], environment: environment.merging(variables) { $1 }, body: body)
    }
}

extension GatewayFleet {
    /// Waits for the answers of all calls.
    typealias Answers = () async throws -> [Int: HTTPAnswer]

    /// Makes one call for each job, all at once, each on a connection of its own, while `body` runs, which waits for
    /// their answers, by job. Each client has exactly one: another would be taken for the answer to what it asks next.
    func calls(_ jobs: Range<Int>, to port: Int, _ body: (Answers) async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            for job in jobs {
                group.addTask {
                    try await withRawClient(to: port) { client in
                        let answer = try await client.call("POST", ServeTests.path, body: Self.body(job))
                        #expect(try await client.call("GET", "/health").text.contains("healthy"))
                        return (job, answer)
                    }
                }
            }
            defer { group.cancelAll() }
            try await body {
                var answers: [Int: HTTPAnswer] = [:]
                for try await (job, answer) in group { answers[job] = answer }
                return answers
            }
        }
    }

    /// Asks for completions in the background, one after the other over one connection.
    /// - Returns: where their answers will be.
    func accept(_ jobs: Range<Int>, at port: Int) async throws -> [String] {
        try await withRawClient(to: port) { client in
            var locations: [String] = []
            for job in jobs {
                let answer = try await client.call(
                    "POST", ServeTests.path, headers: ["Prefer: respond-async"], body: Self.body(job))
                #expect(answer.status == 202)
                locations.append(try #require(answer["location"]))
            }
            return locations
        }
    }

    /// The request for a job's completion.
    static func body(_ job: Int) -> String { ServeTests.body("held/gpt", "job-\(job)") }

    /// How many jobs each forwarder has been given and has not ended.
    func pending() async throws -> [String: Int] {
        let summary = try await redis.send(RedisCommand("XPENDING", Keys.jobs, Keys.jobGroup))
        var pending: [String: Int] = [:]
        for consumer in summary[3].array ?? [] {
            pending[consumer[0].string ?? ""] = consumer[1].string.flatMap { Int($0) }
        }
        return pending
    }

    /// How often each job that has not ended was given to a forwarder.
    func deliveries() async throws -> [Int] {
        let entries = try await redis.send(RedisCommand("XPENDING", Keys.jobs, Keys.jobGroup, "-", "+", 10_000))
        return (entries.array ?? []).compactMap { $0[3].int }
    }

    /// How many forwarders stand in a blocked read of the job stream.
    func blockedReaders() async throws -> Int {
        let clients = try await redis.send(RedisCommand("CLIENT", "LIST")).string ?? ""
        return clients.split(separator: "\n").count { $0.contains(" cmd=xreadgroup ") && $0.contains(" flags=b") }
    }

    /// The names of the forwarders that count as alive.
    func alive() async throws -> Set<String> {
        let keys = try await redis.send(RedisCommand("KEYS", Keys.forwarderPrefix + "*")).array ?? []
        return Set(keys.compactMap(\.string).map { String($0.dropFirst(Keys.forwarderPrefix.count)) })
    }

    /// The ids that the rollout still counts.
    func ids() async throws -> Set<String> {
        Set((try await redis.send(RedisCommand("SMEMBERS", "demo")).array ?? []).compactMap(\.string))
    }

    func length(_ stream: String) async throws -> Int? { try await redis.send(RedisCommand("XLEN", stream)).int }

    /// Every job succeeded once: the answer is one that the provider gave to that job, the rollout has its id and no
    /// other, and nothing is left behind.
    func expectSuccess(
        _ answers: [Int: HTTPAnswer], byCall numbers: ClosedRange<Int>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for (job, answer) in answers {
            let texts = numbers.map { CountingProvider.text($0, of: "job-\(job)") }
            #expect(
                answer.status == 200 && texts.contains { answer.text.contains($0) }, "job-\(job): \(answer.text)",
                sourceLocation: sourceLocation)
        }
        let ids = answers.values.compactMap { $0["x-insertion-id"] }
        #expect(Set(ids).count == ids.count && ids.count == answers.count, sourceLocation: sourceLocation)
        #expect(try await self.ids() == Set(ids), sourceLocation: sourceLocation)
        #expect(try await pending().isEmpty, sourceLocation: sourceLocation)
        #expect(try await length(Keys.jobs) == 0, sourceLocation: sourceLocation)
        #expect(try await length(Keys.dead) == 0, sourceLocation: sourceLocation)
    }
}
