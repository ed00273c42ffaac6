import Common
import FoundationEssentials
import JSON
import Redis
import TestSupport
import Testing

/// Counts what a gateway holds before and after something is done to it: requests in flight, connections, open files,
/// and all that is in Redis.
struct LeakCheck {
    struct State: Equatable {
        var inFlight = 0
        var connections = 0
        var descriptors: [String: Int] = [:]
        /// The keys of Redis with their sizes: entries of a stream, members of a set, bytes of a text.
        var keys: [String: Int] = [:]
        /// Markers: texts about one job that go by themselves a minute after its deadline.
        var markers = 0
        /// Markers that would stay longer than that, and all else that should go by itself and would stay for ever.
        var lastingMarkers: [String] = []
    }

    /// Somebody's news about one job, which may come when the job is over.
    private static let markers = ["gateway/cancelled/", "gateway/credit/", "gateway/started/"]
    /// What a rollout's call leaves for the trace store and the verifier, until both are done with it.
    private static let traces = ["gateway/span/", "gateway/rollout/", "gateway/count/", "gateway/rollouts/"]

    let process: ProcessFigures
    let port: Int
    let redis: RedisClient
    /// What a job's marker may live at most.
    let life: Duration

    /// Does `body` and waits until all is as it was before; if that does not come, says what is different.
    /// - Parameter requestTimeout: the gateway's `REQUEST_TIMEOUT`.
    static func around(
        _ gateway: HostileGateway, requestTimeout: Duration = .seconds(300),
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async throws {
        try await withRedisClient(gateway.folder.redis) { redis in
            let check = LeakCheck(
                process: ProcessFigures(id: gateway.process.id), port: gateway.port, redis: redis,
                life: requestTimeout + .seconds(65))
            // What an earlier call left to be cleaned up is not counted.
            let start = try await check.settled()
            try await body()
            var state = State()
            do {
                try await eventually(within: .seconds(30)) {
                    state = try await check.state()
                    state.markers = start.markers
                    return state == start
                }
            } catch is NeverHeld {
                Issue.record("leaked: \(start.differences(to: state))", sourceLocation: sourceLocation)
            }
        }
    }

    /// The state once nothing is in flight and the streams are empty.
    private func settled() async throws -> State {
        var state = State()
        try await eventually(within: .seconds(30)) {
            let last = state
            state = try await self.state()
            // A connection's file is open for a moment longer than its gateway knows it.
            guard state == last else { return false }
            let streams = state.keys.filter { $0.key == Keys.jobs || $0.key.hasPrefix(Keys.responses(ingress: "")) }
            return state.inFlight == 0 && state.connections == 1 && streams.values.allSatisfy { $0 == 0 }
        }
        return state
    }

    private func state() async throws -> State {
        var state = State()
        // The files are counted while the question's own connection is surely open.
        let health = try await withRawClient(to: port) { client in
            let health = try await client.call("GET", "/health")
            state.descriptors = try process.descriptors()
            return health
        }
        let figures = try #require(try? JSONObject.scan(health.body, maximumDepth: 2), "\(health.text)")
        state.inFlight = try figures.integer("waiting")
        state.connections = try figures.integer("connections")
        for name in try await redis.send(RedisCommand("KEYS", "*")).array ?? [] {
            try await count(name.string ?? "", in: &state)
        }
        return state
    }

    private func count(_ key: String, in state: inout State) async throws {
        if Self.markers.contains(where: { key.hasPrefix($0) }) {
            state.markers += 1
            let left = try await redis.send(RedisCommand("PTTL", key)).int ?? -2
            if left == -1 || left > life.components.seconds * 1000 { state.lastingMarkers.append(key) }
            return
        }
        // The queue of spans and their count go with the spans.
        if key.hasPrefix(Keys.traces(project: ""))
            || [Keys.traceBytes, Keys.keptTraces, Keys.keptTraceBytes, Keys.exportedProjects].contains(key)
        {
            return
        }
        // The ingress's own word, which may come for the first time meanwhile, goes by itself as the traces do.
        if Self.traces.contains(where: { key.hasPrefix($0) }) || key.hasPrefix(Keys.ingresses) {
            if try await redis.send(RedisCommand("PTTL", key)).int == -1 { state.lastingMarkers.append(key) }
            return
        }
        let size: RedisCommand
        switch try await redis.send(RedisCommand("TYPE", key)).string {
        case "stream": size = RedisCommand("XLEN", key)
        case "set": size = RedisCommand("SCARD", key)
        case "hash": size = RedisCommand("HLEN", key)
        case "none": return
        default: size = RedisCommand("STRLEN", key)
        }
        state.keys[key] = try await redis.send(size).int ?? -1
    }
}

extension LeakCheck.State {
    /// What is different in `other`, for a person.
    fileprivate func differences(to other: Self) -> String {
        var words: [String] = []
        if inFlight != other.inFlight { words.append("in flight \(inFlight) -> \(other.inFlight)") }
        if connections != other.connections { words.append("connections \(connections) -> \(other.connections)") }
        if descriptors != other.descriptors { words.append("open files \(descriptors) -> \(other.descriptors)") }
        if !other.lastingMarkers.isEmpty { words.append("markers that stay: \(other.lastingMarkers)") }
        for key in Set(keys.keys).union(other.keys.keys).sorted() where keys[key] != other.keys[key] {
            words.append(
                "\(key): \(keys[key].map { "\($0)" } ?? "none") -> \(other.keys[key].map { "\($0)" } ?? "none")")
        }
        return words.joined(separator: "; ")
    }
}

extension JSONObject {
    /// The whole number under `name`.
    fileprivate func integer(_ name: String) throws -> Int {
        let digits = member(name).map { bytes[$0.value] } ?? []
        return try #require(Int(String(decoding: digits, as: UTF8.self)), "no number `\(name)`")
    }
}
