import Common
import NIOConcurrencyHelpers
import Redis
import ServiceLifecycle
import TestSupport
import Testing
import TraceStore

/// The gateway's parts as processes of their own over a private Redis, and the trace store in this process, where a
/// test says what goes wrong in it.
struct TraceRig {
    private static let keys = LangfuseKeys(publicKey: SecretString("pk-lf-main"), secretKey: SecretString("sk-lf-main"))

    let fleet: GatewayFleet
    let faults = FaultInjector()
    private let port: ReservedPort

    /// Lends a Redis and the address of a store to `body`, which starts what it wants.
    static func run(
        redis options: RedisServer.Options = .init(), environment: [String: String] = [:],
        _ body: (TraceRig) async throws -> Void
    ) async throws {
        let port = try ReservedPort()
        defer { port.release() }
        var variables = ["LANGFUSE_HOST": "http://127.0.0.1:\(port.number)", "EXPORT_INTERVAL_MS": "50"]
        variables.merge(environment) { $1 }
        try await GatewayFleet.run(redis: options, langfuseKeys: keys, environment: variables) {
            try await body(TraceRig(fleet: $0, port: port))
        }
    }

    /// Runs the store while `body` does. What was written before is still there.
    func store(_ body: () async throws -> Void) async throws {
        let (listening, told) = AsyncStream.makeStream(of: Void.self)
        let service = try TraceStoreService(
            directory: fleet.folder.path, keys: ["main": Self.keys], host: "127.0.0.1", port: port.number,
            limits: .init(age: .seconds(86_400), bytes: 1 << 30, exportBytes: 8 << 20), faults: faults, logger: .silent,
            onListening: { _ in told.yield() })
        let services = ServiceGroup(services: service.services, logger: .silent)
        try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            for await _ in listening { break }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try result.get()
        }
    }

    /// Runs an ingress, so many forwarders and a verifier while `body` does, which gets the ingress's port.
    func parts(forwarders: Int = 1, _ body: (_ port: Int) async throws -> Void) async throws {
        try await fleet.ingress { _, port in
            try await fleet.forwarders(forwarders) {
                try await verifier { _ in try await body(port) }
            }
        }
    }

    /// Runs a verifier while `body` does, from when an ingress counts it: alive, and a consumer of the queue.
    @discardableResult
    func verifier(_ body: (GatewayProcess) async throws -> Void) async throws -> GatewayProcess.Ending {
        let before = try await verifiers()
        return try await fleet.process("verifier") { process in
            try await eventually { try await !verifiers().isSubset(of: before) }
            try await body(process)
        }
    }

    private func verifiers() async throws -> Set<String> {
        let queue = WorkQueue.verifications
        let alive = try await fleet.redis.send(RedisCommand("KEYS", queue.livenessPrefix + "*")).array ?? []
        let script =
            "local names = {} for _, c in ipairs(redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do names[#names + 1] = c[2] end return names"
        let consumers =
            try await fleet.redis.send(RedisCommand("EVAL", script, "1", queue.stream, queue.group)).array ?? []
        return Set(alive.compactMap(\.string)).intersection(
            consumers.compactMap(\.string).map { queue.livenessPrefix + $0 })
    }

    /// Waits until so many spans have left the outbox. What a dead exporter had is taken over after a minute.
    func exported(_ count: Int) async throws {
        try await eventually(within: .seconds(100)) {
            try await fleet.redis.send(RedisCommand("LLEN", Keys.keptTraces)).int == count
        }
    }
}

/// A place in the store at which a request is held up, for a test to see it there and let it go on.
final class Hold: Sendable {
    private let isOpen = TestSignal()
    private let reached = TestSignal()

    /// Waits until a request is there.
    func untilReached() async { await reached.wait() }

    /// Lets the request go on, and all later ones.
    func open() { isOpen.send() }

    func pass() async {
        reached.send()
        await isOpen.wait()
    }
}
