internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// A latch that opens once. Tasks wait until it is open.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    private let state = NIOLockedValueBox(State())

    func open() {
        let waiting = state.withLockedValue { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.finish() }
    }

    /// Waits until the latch opens, or the task is cancelled.
    /// - Returns: whether it is open.
    func wait() async -> Bool {
        // A stream a waiter: the cancellation of one ends its own alone.
        let (opening, continuation) = AsyncStream.makeStream(of: Never.self)
        let isOpen = state.withLockedValue { state in
            if !state.isOpen { state.waiting.append(continuation) }
            return state.isOpen
        }
        if !isOpen { for await _ in opening {} }
        return state.withLockedValue { $0.isOpen }
    }
}

/// A service that starts when a latch opens, and not at all if it is stopped before.
struct LatchedService: Service, CustomStringConvertible {
    let latch: Latch
    let service: any Service

    var description: String { "\(service)" }

    func run() async throws {
        let isOpen = await cancelWhenGracefulShutdown { await latch.wait() }
        if isOpen { try await service.run() }
    }
}
