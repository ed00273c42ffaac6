import Ingress
import Logging
import Policies
import ServiceLifecycle
import TestSupport

@testable import Common
@testable import Redis

/// The whole ingress on a free port, with a private redis-server and a forwarder that the test plays.
struct LiveIngress: Sendable {
    /// What a test may set before the ingress starts.
    struct Plan: Sendable {
        var settings = Settings(role: .ingress)
        var secrets = Secrets(
            projects: ["main": Project(name: "main"), "sibling": Project(name: "sibling")], defaultProject: "main")
        var auth: any AuthProvider = .none
        var policies = Policies.none
        /// Rules that the test has read again; nil: those above stay.
        var rules: RulesFile?
        var extensions = Extensions()
        /// Whether a forwarder has ever joined.
        var hasForwarder = true
        var redis = RedisServer.Options()
        var logger = Logger.silent
    }

    /// A completion's path with all its ids, under the rollout `r1`.
    static let path = "/rollout_id/r1/invocation_id/i1/experiment_id/e1/run_id/n1/row_id/7/chat/completions"
    static let body = #"{"model": "openai/gpt", "messages": []}"#

    let port: Int
    let server: RedisServer
    /// A client of the ingress's Redis, for looking and for tampering.
    let redis: RedisClient
    let forwarder: ScriptedForwarder

    /// Runs `body` with an ingress, which is stopped when the body ends.
    static func run<Result: Sendable>(
        _ change: (inout Plan) -> Void = { _ in }, _ body: (LiveIngress) async throws -> Result
    ) async throws -> Result {
        var plan = Plan()
        plan.settings.http.host = "127.0.0.1"
        plan.settings.http.port = 0
        plan.settings.redis.commandTimeout = RedisServer.patience
        plan.settings.http.allowedHosts = .any
        change(&plan)
        return try await withRedisServer(plan.redis) { server in
            try await withRedisClient(server.endpoint) { commands in
                try await withRedisClient(server.endpoint) { reader in
                    let forwarder = ScriptedForwarder(
                        commands: commands, reader: reader, envelope: Envelope(key: GatewayKey.random()))
                    if plan.hasForwarder { try await forwarder.join() }
                    return try await plan.run(with: server, forwarder) { port in
                        try await body(LiveIngress(port: port, server: server, redis: commands, forwarder: forwarder))
                    }
                }
            }
        }
    }

    /// One request over a connection of its own.
    func call(_ method: String, _ target: String, headers: [String] = [], body: String = "") async throws -> HTTPAnswer
    {
        try await withRawClient(to: port) { try await $0.call(method, target, headers: headers, body: body) }
    }

    /// Runs `body` with a connection to the ingress.
    func connect<Result: Sendable>(_ body: (RawClient) async throws -> Result) async throws -> Result {
        try await withRawClient(to: port, body)
    }

    /// The keys in Redis besides those that are there before any request.
    func keys() async throws -> Set<String> {
        let keys = try await redis.send(RedisCommand("KEYS", "*")).array ?? []
        let there = ["gateway/responses/", "gateway/forwarder/", Keys.keyFingerprint, Keys.ingresses]
        return Set(keys.compactMap(\.string).filter { key in !there.contains { key.hasPrefix($0) } })
    }

    /// Waits until the ingress has seen that a client went: nobody waits there any longer.
    func untilNobodyWaits() async throws {
        try await connect { client in
            try await eventually { try await client.call("GET", "/health").text.contains(#""waiting":0,"#) }
        }
    }

    /// How many jobs are queued.
    func queued() async throws -> Int { try await redis.send(RedisCommand("XLEN", Keys.jobs)).int ?? 0 }

    /// Whether a job was called off.
    func isCancelled(_ id: InsertionID) async throws -> Bool {
        try await redis.send(RedisCommand("EXISTS", Keys.cancelled(id))).int == 1
    }
}

extension LiveIngress.Plan {
    fileprivate func run<Result: Sendable>(
        with server: RedisServer, _ forwarder: ScriptedForwarder, _ body: (_ port: Int) async throws -> Result
    ) async throws -> Result {
        var endpoint = server.endpoint
        endpoint.commandTimeout = settings.redis.commandTimeout
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let configuration = Configuration(settings: settings, secrets: secrets, warnings: [])
        let ingress = IngressService(
            configuration: configuration, rules: rules ?? RulesFile(policies),
            secretsFile: SecretsFile(configuration, environment: [:]), auth: auth,
            extensions: extensions,
            redis: endpoint, envelope: forwarder.envelope, logger: logger, onListening: { listening.yield($0) })
        let services = ServiceGroup(services: ingress.services, logger: .silent)
        return try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            defer { group.cancelAll() }
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else { throw CancellationError() }
            // The port is open before Redis has been reached, as it must be; these tests begin after that.
            try await withRawClient(to: port) { client in
                try await eventually { !(try await client.call("GET", "/ready").text.contains(#""redis":false"#)) }
            }
            return try await body(port)
        }
    }
}
