internal import Common
package import Logging
internal import ServiceLifecycle

/// Says each 5 s that this worker lives. When it falls silent, the others take its jobs over.
package struct Heartbeat: NamedService {
    private static let interval = Duration.seconds(5)

    let stream: JobStream
    let clock: RedisClock
    let logger: Logger

    package init(stream: JobStream, clock: RedisClock, logger: Logger) {
        self.stream = stream
        self.clock = clock
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await repeated {
                do {
                    let asked = ContinuousClock.now
                    clock.learn(try await stream.beat(), asked: asked, isCertain: true)
                    return Self.interval
                } catch {
                    clock.lose()
                    logger.debug("no heartbeat", metadata: ["error": "\(error)"])
                    return .milliseconds(200)
                }
            }
        }
        // Entries that were left pending are taken over at once, and not 15 s later.
        try? await stream.leave()
    }
}
