package import Logging
internal import ServiceLifecycle

/// Says in the log when the Redis server may delete what the gateway has recorded, once for each policy that it is met
/// with.
package struct RedisEvictionWatch: Service, CustomStringConvertible {
    private let redis: RedisClient
    private let logger: Logger

    package init(redis: RedisClient, logger: Logger) {
        self.redis = redis
        self.logger = logger
    }

    package var description: String { "RedisEvictionWatch" }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var known: RedisEvictionPolicy?
            for await _ in redis.connections() {
                guard let policy = await redis.evictionPolicy(), policy != known else { continue }
                known = policy
                if let warning = policy.warning { logger.warning("\(warning)") }
            }
        }
        try? await gracefulShutdown()
    }
}
