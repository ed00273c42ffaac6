internal import Redis

/// A trouble that keeps the gateway from working with a Redis that answers.
package enum RedisTrouble: Sendable, Equatable {
    /// It refuses what it is asked for.
    /// - Parameter code: the server's word for it, such as `READONLY`.
    case refuses(code: String)
    /// Others use it with another `GATEWAY_KEY`.
    case otherKey

    /// The trouble and its repair, in one line.
    package var text: String {
        switch self {
        case .refuses(let code): "Redis refuses (\(code)): \(RedisRefusal.advice(for: code))"
        case .otherKey:
            "this Redis is used with another GATEWAY_KEY. Give this process the key of the others, or a Redis (or REDIS_DB) of its own. To change the key on "
                + "purpose, let the queue and the outbox run empty, stop all parts, run `redis-cli DEL \(Keys.keyFingerprint)`, and start them with the new key"
        }
    }
}

/// A part was started with another key than those have that use its Redis.
package struct OtherGatewayKey: Error, Sendable, CustomStringConvertible {
    /// Whether the Redis is the process's own: then it is not what others use, but what the process itself left.
    let isAlone: Bool

    package var description: String {
        guard isAlone else { return RedisTrouble.otherKey.text }
        return
            "is not the key that sealed what waits in DATA_DIR. Restore DATA_DIR/gateway.key, or the GATEWAY_KEY of before. If it is lost, move "
            + "DATA_DIR/appendonlydir away: calls and traces that wait, and the rollouts' sets, are forgotten then; traces.sqlite stays"
    }
}
