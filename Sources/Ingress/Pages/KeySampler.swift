internal import Common
internal import NIOConcurrencyHelpers
internal import Redis
internal import Telemetry

/// Estimates how Redis's memory is shared among the gateway's kinds of keys.
///
/// To ask every key would take as long as there are keys. So once a minute at most a few keys are drawn by chance and
/// asked; the last few draws together are the estimate. Few large keys are easily missed by it: what waits in the queue
/// and in the outbox is counted exactly elsewhere.
final class KeySampler: Sendable {
    private static let interval = Duration.seconds(60)
    private static let draws = 64
    private static let kept = 10

    /// The purpose of a key.
    enum Kind: String, CaseIterable {
        case rollouts, answers, logs, traces, queue, rateLimits = "rate_limits", other

        init(key: String) {
            guard key.hasPrefix("gateway/") else {
                // The sets of rollouts go by the names that clients gave them.
                self = .rollouts
                return
            }
            let name = key.utf8.dropFirst("gateway/".utf8.count).prefix { $0 != UInt8(ascii: "/") }
            self =
                switch UTF8Text(String(decoding: name, as: UTF8.self)) {
                case "rollout", "rollouts", "count", "verdict", "verified", "verifying", "ended": .rollouts
                case "response", "responses", "job", "idempotency", "kept": .answers
                case "logs", "status", "requests": .logs
                case "span", "traces", "trace": .traces
                case "jobs", "jobkey", "verifications", "queries", "dead": .queue
                case "rate": .rateLimits
                default: .other
                }
        }
    }

    /// Bytes by kind, of all keys.
    struct Estimate: Sendable, Equatable {
        static let bytes = MetricDescription(
            "gateway_redis_estimated_bytes", .gauge,
            help:
                "Bytes of Redis's keys by what they are for, estimated from a few keys that are drawn by chance once a minute."
        )

        var bytes: [Kind: Int] = [:]

        func write(to page: inout Exposition) {
            page.head(of: Self.bytes)
            for kind in Kind.allCases {
                page.sample(
                    Self.bytes.name, labels: Exposition.labels([("kind", kind.rawValue)]),
                    value: Int64(bytes[kind] ?? 0))
            }
        }
    }

    private struct State {
        var next: ContinuousClock.Instant?
        var samples: [[(kind: Kind, bytes: Int)]] = []
        var keys = 0
    }

    private let state = NIOLockedValueBox(State())

    /// - Returns: nil if Redis has not said anything yet.
    func estimate(with redis: RedisClient, now: ContinuousClock.Instant = .now) async -> Estimate? {
        let isDue = state.withLockedValue { state in
            guard state.next.map({ $0 <= now }) ?? true else { return false }
            state.next = now + Self.interval
            return true
        }
        if isDue, let (sample, keys) = try? await Self.draw(from: redis) {
            state.withLockedValue { state in
                state.samples = (state.samples + [sample]).suffix(Self.kept)
                state.keys = keys
            }
        }
        return state.withLockedValue { state in
            state.samples.isEmpty ? nil : Self.estimate(state.samples.flatMap(\.self), of: state.keys)
        }
    }

    /// The share of each kind in what was drawn, of so many keys.
    static func estimate(_ drawn: [(kind: Kind, bytes: Int)], of keys: Int) -> Estimate {
        var estimate = Estimate()
        guard !drawn.isEmpty else { return estimate }
        for (kind, bytes) in drawn { estimate.bytes[kind, default: 0] += bytes }
        let factor = Double(keys) / Double(drawn.count)
        estimate.bytes = estimate.bytes.mapValues { Int(Double($0) * factor) }
        return estimate
    }

    private static func draw(
        from redis: RedisClient
    ) async throws(RedisError) -> (sample: [(kind: Kind, bytes: Int)], keys: Int) {
        let count = try await redis.send(RedisCommand("DBSIZE")).int ?? 0
        let draws = (0..<min(draws, count)).map { _ in RedisCommand("RANDOMKEY") }
        guard !draws.isEmpty else { return ([], 0) }
        var keys: [String] = []
        for reply in try await redis.send(batch: draws) {
            if let key = try reply.get().string { keys.append(key) }
        }
        guard !keys.isEmpty else { return ([], count) }
        let sizes = try await redis.send(batch: keys.map { RedisCommand("MEMORY", "USAGE", $0, "SAMPLES", 5) })
        var sample: [(kind: Kind, bytes: Int)] = []
        for (key, size) in zip(keys, sizes) {
            if let bytes = try size.get().int { sample.append((Kind(key: key), bytes)) }
        }
        return (sample, count)
    }
}
