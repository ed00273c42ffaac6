package import Logging
internal import NIOConcurrencyHelpers
package import Redis
internal import ServiceLifecycle

/// Looks each second whether the gateway can work with its Redis: whether it takes writes, and whether those who use it
/// have the same key.
///
/// A part whose first look finds another key does not start. One that finds it later takes no part until the key is
/// right again.
package final class RedisWatch: NamedService {
    private static let interval = Duration.seconds(1)

    private let redis: RedisClient
    private let fingerprint: String
    private let isAlone: Bool
    private let logger: Logger
    private let state = NIOLockedValueBox(WatchState())
    private let skew: NIOLockedValueBox<ClockSkew>
    private let clock: @Sendable () -> Timestamp
    private let takers = NIOLockedValueBox<[@Sendable (AuditKind) -> Void]>([])

    /// - Parameters:
    ///   - isAlone: whether the Redis is the process's own. Then another key than before is not another process's, and
    ///     may replace the former once nothing waits that it sealed.
    ///   - skewLimit: the difference of clocks from which on it is warned of.
    ///   - clock: this machine's.
    package init(
        _ endpoint: RedisEndpoint, envelope: Envelope, isAlone: Bool = false, skewLimit: Duration = .seconds(2),
        clock: @escaping @Sendable () -> Timestamp = { .now }, logger: Logger
    ) {
        skew = NIOLockedValueBox(ClockSkew(limit: skewLimit))
        self.clock = clock
        // Those who work with Redis say that they cannot connect.
        redis = RedisClient(endpoint, logger: Logger(label: "watch") { _ in SwiftLogNoOpLogHandler() })
        fingerprint = envelope.keyFingerprint
        self.isAlone = isAlone
        self.logger = logger
    }

    /// A watch with the bounds of the settings.
    package convenience init(
        _ endpoint: RedisEndpoint, envelope: Envelope, settings: Settings, isAlone: Bool = false, logger: Logger
    ) {
        self.init(endpoint, envelope: envelope, isAlone: isAlone, skewLimit: settings.process.clockSkew, logger: logger)
    }

    /// Tells `take` each time that another GATEWAY_KEY than before is found in Redis, or none.
    package func onKeyChange(_ take: @escaping @Sendable (AuditKind) -> Void) {
        takers.withLockedValue { $0.append(take) }
    }

    private func tell(_ change: AuditKind) {
        for take in takers.withLockedValue({ $0 }) { take(change) }
    }

    /// The trouble, as far as it is known.
    package var trouble: RedisTrouble? { state.withLockedValue { $0.trouble } }

    /// The warning that the clocks of this machine and of Redis differ; nil: they do not, as far as it is known.
    package var clockWarning: String? { skew.withLockedValue { $0.warning } }

    /// Whether this process may take work off the queues: its key is known to be that of the others.
    package var hasRightKey: Bool { state.withLockedValue { $0.hasRightKey } }

    /// - Throws: `OtherGatewayKey` if the first look finds another key.
    package func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { [redis] in try await redis.run() }
            group.addTask { try await cancelWhenGracefulShutdown { try await self.watch() } }
            for try await _ in group {}
        }
    }

    private func watch() async throws {
        try await repeated {
            let sight = await look()
            if sight == .trouble(.otherKey), !hasRightKey, trouble != .otherKey {
                throw OtherGatewayKey(isAlone: isAlone)
            }
            if let news = state.withLockedValue({ $0.see(sight, now: .now) }) { say(news) }
            // While it has seen nothing, others wait for it.
            return sight == .away ? .milliseconds(50) : Self.interval
        }
    }

    private func look() async -> WatchState.Sight {
        do throws(RedisError) {
            let sent = clock()
            let reply = try await redis.evaluate(
                Self.compareKey, keys: [Keys.keyFingerprint, Keys.jobs, Keys.verifications, Keys.traceBytes],
                arguments: fingerprint, isAlone ? 1 : 0)
            compareClocks(server: reply[1].int.map { Timestamp(clamping: $0) }, sent: sent)
            switch reply[0].int {
            case 0: return .trouble(.otherKey)
            case 2:
                tell(.sealKeyReplaced)
                return .keyReplaced
            case 3: tell(.sealKeyWritten)
            default: break
            }
            return .good
        } catch {
            guard let code = error.refusal else { return .away }
            return .trouble(.refuses(code: code))
        }
    }

    private func compareClocks(server: Timestamp?, sent: Timestamp) {
        guard let server else { return }
        let heard = clock()
        let line = skew.withLockedValue { $0.see(server: server, sent: sent, heard: heard, now: .now) }
        if let line { logger.warning("\(line)", metadata: ["endpoint": "\(redis.endpoint)"]) }
    }

    private func say(_ news: WatchState.News) {
        switch news {
        case .begins(let trouble):
            if trouble == .otherKey { tell(.sealKeyDiffers) }
            logger.error("\(trouble.text)", metadata: ["endpoint": "\(redis.endpoint)"])
        case .goesOn(let trouble, let time):
            logger.error(
                "\(trouble.text)", metadata: ["endpoint": "\(redis.endpoint)", "seconds": "\(time.components.seconds)"])
        case .isOver: logger.notice("Redis can be used again", metadata: ["endpoint": "\(redis.endpoint)"])
        case .keyReplaced:
            logger.warning(
                "the key is another one than before; answers and log entries that the former key sealed cannot be read any longer"
            )
        }
    }

    /// Compares the key with that of those who use this Redis; the first to come writes its own. Each time something is
    /// written, so that a server that takes no writes is noticed, and a server that was flushed has it again.
    ///
    /// - KEYS[1]: fingerprint of the key
    /// - KEYS[2]: the job stream
    /// - KEYS[3]: the stream of questions
    /// - KEYS[4]: bytes of spans that wait for their export
    /// - ARGV[1]: fingerprint of this process's key
    /// - ARGV[2]: 1 if this process alone uses the server
    ///
    /// Output: {the comparison, the server's time in milliseconds since 1970}. The comparison is one of these:
    /// - 0: the keys differ
    /// - 1: they are the same
    /// - 2: this one replaces the former
    /// - 3: there was none
    private static let compareKey = RedisScript(
        name: "compareKey",
        source: """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local known = redis.call('GET', KEYS[1])
            local isOther = known and known ~= ARGV[1]
            if isOther then
                if ARGV[2] ~= '1' then return {0, now} end
                if redis.call('XLEN', KEYS[2]) > 0 or redis.call('XLEN', KEYS[3]) > 0
                    or redis.call('EXISTS', KEYS[4]) == 1 then return {0, now} end
            end
            redis.call('SET', KEYS[1], ARGV[1])
            return {isOther and 2 or known and 1 or 3, now}
            """)
}
