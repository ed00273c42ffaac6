internal import Common
internal import Logging
internal import NIOConcurrencyHelpers
internal import Queue
internal import Redis
internal import ServiceLifecycle

/// Brings refused calls to the request log, those of a second together. They never were jobs: the last second's are
/// lost if the process is killed.
final class RefusalLog: Service, CustomStringConvertible, Sendable {
    /// Refusals that wait at most, for Redis or for the second to pass. Further ones are counted alone.
    static let capacity = 10_000
    private static let interval = Duration.seconds(1)

    private struct Waiting {
        var refusals: [(refusal: Refusal, end: UInt64)] = []
        /// How many there was no room for.
        var lost = 0
    }

    private let outbox: RefusalOutbox
    private let envelope: Envelope
    private let logger: Logger
    private let waiting = NIOLockedValueBox(Waiting())

    init(redis: RedisClient, envelope: Envelope, logger: Logger) {
        outbox = RefusalOutbox(redis: redis)
        self.envelope = envelope
        self.logger = logger
    }

    var description: String { "RefusalLog" }

    /// Notes a refused call.
    func note(_ refusal: Refusal) {
        waiting.withLockedValue { waiting in
            if waiting.refusals.count < Self.capacity {
                waiting.refusals.append((refusal, UnixTime.milliseconds))
            } else {
                waiting.lost += 1
            }
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                await self.flush()
            }
        }
        await flush()
    }

    /// Sends what waits. What Redis does not take waits on.
    func flush() async {
        let taken = waiting.withLockedValue { waiting in
            defer { waiting = Waiting() }
            return waiting
        }
        guard !taken.refusals.isEmpty || taken.lost > 0 else { return }
        do {
            let records = try taken.refusals.map { refusal, end in
                let record = refusal.record(end: end)
                return (refusal.id, try envelope.seal(record, for: .span(refusal.id, holding: record)))
            }
            try await outbox.add(records, lost: taken.lost)
        } catch {
            logger.debug("refused calls wait for the request log", metadata: ["error": "\(error.kind)"])
            waiting.withLockedValue { waiting in
                let room = max(Self.capacity - waiting.refusals.count, 0)
                waiting.lost += taken.lost + max(taken.refusals.count - room, 0)
                waiting.refusals = taken.refusals.suffix(room) + waiting.refusals
            }
        }
    }
}
