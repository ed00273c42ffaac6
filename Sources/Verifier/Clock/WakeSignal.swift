internal import NIOConcurrencyHelpers

/// Ends the rest of one task early. A signal that comes while the task does not rest ends its next rest.
final class WakeSignal: Sendable {
    private struct State {
        var isSent = false
        var resting: CheckedContinuation<Void, Never>?
    }

    private let state = NIOLockedValueBox(State())

    @Sendable func send() {
        let resting = state.withLockedValue { state in
            state.isSent = state.resting == nil
            return state.resting.take()
        }
        resting?.resume()
    }

    /// Forgets a signal that has come.
    func clear() { state.withLockedValue { $0.isSent = false } }

    /// Rests for `duration`, or until a signal comes.
    func rest(_ duration: Duration, by clock: VerifierClock) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await clock.sleep(duration) }
            group.addTask { await self.wait() }
            defer { group.cancelAll() }
            try await group.next()
        }
        try Task.checkCancellation()
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLockedValue { state in
                    if state.isSent || Task.isCancelled {
                        state.isSent = false
                        return true
                    }
                    state.resting = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLockedValue { $0.resting.take() }?.resume()
        }
    }
}
