package import Logging
internal import ServiceLifecycle

/// Says in the log when the Redis server has holes that are known, once for each version that it is met in.
package struct RedisVersionWatch: Service, CustomStringConvertible {
    private let redis: RedisClient
    private let logger: Logger

    package init(redis: RedisClient, logger: Logger) {
        self.redis = redis
        self.logger = logger
    }

    package var description: String { "RedisVersionWatch" }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var known: RedisVersion?
            for await _ in redis.connections() {
                guard let version = await redis.version(), version != known else { continue }
                known = version
                for warning in version.warnings { logger.warning("\(warning)") }
            }
        }
        try? await gracefulShutdown()
    }
}

extension RedisClient {
    /// The product and version of the server; nil if it does not tell, as where an ACL forbids `INFO`.
    package func version() async -> RedisVersion? {
        (try? await send(RedisCommand("INFO", "server")))?.string.flatMap { RedisVersion(info: $0) }
    }
}
