internal import Common
package import Logging
package import Redis
internal import ServiceLifecycle

/// Hears which jobs are no longer wanted, and which slow readers have taken the bytes that were sent.
///
/// A message may be missed while the connection is away. So after each new subscription the keys of the running jobs,
/// which hold the truth, are looked up.
package final class SignalListener: Service {
    private let subscriber: RedisSubscriber
    private let subscriptions: AsyncStream<Void>
    private let stream: JobStream
    private let jobs: RunningJobs
    private let logger: Logger

    package init(endpoint: RedisEndpoint, stream: JobStream, jobs: RunningJobs, logger: Logger) {
        let (subscriptions, subscribed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.subscriptions = subscriptions
        self.stream = stream
        self.jobs = jobs
        self.logger = logger
        subscriber = RedisSubscriber(endpoint, channels: [Keys.cancellations, Keys.credits], logger: logger) { event in
            switch event {
            case .subscribed: subscribed.yield()
            case .messages(let messages): for message in messages { Self.hear(message, jobs) }
            }
        }
    }

    package func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { [subscriber] in try await subscriber.run() }
            group.addTask { [self] in
                await cancelWhenGracefulShutdown { [self] in
                    for await _ in subscriptions { await lookUp() }
                }
            }
            for try await _ in group {}
        }
    }

    private static func hear(_ message: RedisMessage, _ jobs: RunningJobs) {
        let words = String(decoding: message.payload, as: UTF8.self).split(separator: " ")
        guard let id = words.first.flatMap({ InsertionID($0) }) else { return }
        switch message.channel {
        case Keys.cancellations: jobs.cancel(id, Cancellation(handedOver: words.count == 2 ? Int(words[1]) : nil))
        case Keys.credits: if words.count == 2, let bytes = Int(words[1]) { jobs.credit(id, bytes: bytes) }
        default: return
        }
    }

    private func lookUp() async {
        let ids = jobs.ids
        var backoff = Backoff.ofRedisSteps
        while !Task.isCancelled {
            do {
                for (id, cancellation) in try await stream.cancelled(among: ids) { jobs.cancel(id, cancellation) }
                for (id, bytes) in try await stream.credits(of: ids) { jobs.credit(id, bytes: bytes) }
                return
            } catch {
                logger.debug("cannot look up what was missed", metadata: ["error": "\(error)"])
                await backoff.waitThroughCancellation()
            }
        }
    }
}
