package import Common
package import Logging
internal import NIOConcurrencyHelpers
package import Redis
internal import ServiceLifecycle

/// Brings records of what never was a job to the request log, those of a second together: refused calls, audit events.
/// Nothing waits for it. The last second's are lost if the process is killed.
package final class RecordLog: NamedService, Sendable {
    /// The most records that wait, for Redis or for the second to pass. Further ones are only counted.
    package static let capacity = 10_000
    private static let interval = Duration.seconds(1)

    private struct Waiting {
        var records: [(id: InsertionID, bytes: @Sendable () -> [UInt8])] = []
        /// The number of records that there was no room for.
        var lost = 0
    }

    private let stream: RecordStream
    private let envelope: Envelope
    private let logger: Logger
    private let waiting = NIOLockedValueBox(Waiting())

    package init(redis: RedisClient, envelope: Envelope, logger: Logger) {
        stream = RecordStream(redis: redis)
        self.envelope = envelope
        self.logger = logger
    }

    /// Notes a record.
    /// - Parameter bytes: makes it, once it is sent.
    package func note(_ id: InsertionID, _ bytes: @escaping @Sendable () -> [UInt8]) {
        waiting.withLockedValue { waiting in
            if waiting.records.count < Self.capacity {
                waiting.records.append((id, bytes))
            } else {
                waiting.lost += 1
            }
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await every(Self.interval) { await self.flush() }
        }
        await flush()
    }

    /// Sends the records that wait. Those that Redis does not take wait on.
    package func flush() async {
        let taken = waiting.withLockedValue { waiting in
            defer { waiting = Waiting() }
            return waiting
        }
        guard !taken.records.isEmpty || taken.lost > 0 else { return }
        do {
            let records = try taken.records.map { id, make in
                let record = make()
                return (id, try envelope.seal(record, for: .record(id, holding: record)))
            }
            try await stream.add(records, lost: taken.lost)
        } catch {
            logger.debug("records wait for the request log", metadata: ["error": "\(error.kind)"])
            waiting.withLockedValue { waiting in
                let room = max(Self.capacity - waiting.records.count, 0)
                waiting.lost += taken.lost + max(taken.records.count - room, 0)
                waiting.records = taken.records.suffix(room) + waiting.records
            }
        }
    }
}
