internal import Common
internal import Logging
internal import Redis
internal import ServiceLifecycle

/// Says in Redis why questions are held up or cut short at this verifier, for `/ready` and `/metrics` of each ingress.
struct CapacityReport: NamedService {
    private static let interval = Duration.seconds(2)
    /// The life of a report, in seconds. Several verifiers share one report: it is the one that was written last.
    private static let life = 10

    let capacity: VerifierCapacity
    let redis: RedisClient
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var isLogged = false
            await every(Self.interval) {
                guard let trouble = capacity.takeTrouble() else {
                    isLogged = false
                    return
                }
                if !isLogged {
                    logger.warning("questions about rollouts are held up", metadata: ["reason": "\(trouble)"])
                }
                isLogged = true
                // Said again soon, if it lasts.
                _ = try? await redis.send(RedisCommand("SET", Keys.verifierTrouble, trouble, "EX", Self.life))
            }
        }
    }
}
