internal import Common
internal import Logging
internal import NIOConcurrencyHelpers
internal import Queue
internal import ServiceLifecycle

/// Publishes signals of requests to the forwarders, also when the request's own task is gone: that an answer is not
/// wanted any longer, or how much of it was taken. Signals are buffered while Redis is unreachable and sent when it
/// returns. A signal whose job has ended by then is dropped.
final class SignalPublisher: Service {
    private enum Item: Sendable {
        case cancel(InsertionID, handedOver: Int?)
        case credit(InsertionID, bytes: Int)
    }

    private struct Entry: Sendable {
        var item: Item
        /// The time at which it no longer matters.
        var deadline: Deadline
    }

    /// The most waiting items. More clients than this cannot leave in one outage of Redis; the oldest expire first.
    private static let capacity = 100_000

    /// The time in which a stopping publisher sends its last items. They only spare calls: their jobs end by
    /// themselves.
    private static let grace = Duration.seconds(3)

    private let signals: JobSignals
    /// The worker in this process, which need not hear by way of Redis.
    private let local: LocalWorker?
    private let logger: Logger
    private let entries: AsyncStream<Entry>
    private let inbox: AsyncStream<Entry>.Continuation
    private let end = NIOLockedValueBox<ContinuousClock.Instant?>(nil)

    init(signals: JobSignals, local: LocalWorker? = nil, logger: Logger) {
        self.signals = signals
        self.local = local
        self.logger = logger
        (entries, inbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.capacity))
    }

    /// - Parameters:
    ///   - handedOver: bytes of the answer that the client had when it left; nil if it has not left by itself.
    ///   - deadline: when the job ends by itself.
    func cancel(_ id: InsertionID, handedOver: Int? = nil, deadline: Deadline) {
        local?.cancel(id, handedOver: handedOver)
        // Said in Redis too: should this process die, the worker that takes the job over shall know.
        inbox.yield(Entry(item: .cancel(id, handedOver: handedOver), deadline: deadline))
    }

    /// Ends a call in this process whose answer comes from another worker.
    func drop(_ id: InsertionID) { local?.drop(id) }

    func credit(_ id: InsertionID, bytes: Int, deadline: Deadline) {
        if local?.credit(id, bytes: bytes) ?? false { return }
        inbox.yield(Entry(item: .credit(id, bytes: bytes), deadline: deadline))
    }

    func run() async throws {
        await withGracefulShutdownHandler {
            for await entry in entries { await send(entry) }
        } onGracefulShutdown: {
            // What was said before is still sent, if Redis takes it: the stream ends behind it.
            self.end.withLockedValue { $0 = .now + Self.grace }
            self.inbox.finish()
        }
    }

    private func send(_ entry: Entry) async {
        while !Task.isCancelled, end.withLockedValue({ $0.map { $0 > .now } ?? true }) {
            // A cancelled marker must outlive the job by what clocks may differ.
            let life = entry.deadline.left() + .seconds(60)
            guard life > .zero else { return }
            do {
                switch entry.item {
                case .cancel(let id, let bytes): try await signals.cancel(id, handedOver: bytes, life: life)
                case .credit(let id, let bytes): try await signals.credit(id, bytes: bytes, life: life)
                }
                return
            } catch {
                logger.debug("could not reach Redis; trying again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
