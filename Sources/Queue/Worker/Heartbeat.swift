package import Logging
internal import ServiceLifecycle

/// Says each 5 s that this worker lives. When it falls silent, the others take its jobs over.
package struct Heartbeat: Service, CustomStringConvertible {
    private static let interval = Duration.seconds(5)

    let stream: JobStream
    let clock: RedisClock
    let logger: Logger

    package init(stream: JobStream, clock: RedisClock, logger: Logger) {
        self.stream = stream
        self.clock = clock
        self.logger = logger
    }

    package var description: String { "Heartbeat" }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let pause: Duration
                do {
                    let asked = ContinuousClock.now
                    clock.learn(try await stream.beat(), asked: asked, isCertain: true)
                    pause = Self.interval
                } catch {
                    clock.lose()
                    logger.debug("no heartbeat", metadata: ["error": "\(error)"])
                    pause = .milliseconds(200)
                }
                try? await Task.sleep(for: pause)
            }
        }
        // Entries that were left pending are taken over at once, and not 15 s later.
        try? await stream.leave()
    }
}
