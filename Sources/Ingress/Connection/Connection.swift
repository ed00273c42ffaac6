internal import NIOConcurrencyHelpers

/// One client's connection, as a waiting request sees it: it can ask to be told when the client goes away.
final class Connection: Sendable {
    private struct State {
        var isClosed = false
        var onClose: (@Sendable () -> Void)?
    }

    private let state = NIOLockedValueBox(State())

    var isClosed: Bool { state.withLockedValue { $0.isClosed } }

    /// Calls `action` when the client goes away. There is one at a time, as there is one request at a time.
    /// - Returns: false if the client has gone already; `action` is not called then.
    func watch(_ action: @escaping @Sendable () -> Void) -> Bool {
        state.withLockedValue { state in
            if !state.isClosed { state.onClose = action }
            return !state.isClosed
        }
    }

    /// Forgets what `watch` was given: the answer is complete.
    func unwatch() { state.withLockedValue { $0.onClose = nil } }

    func close() {
        let action = state.withLockedValue { state in
            state.isClosed = true
            defer { state.onClose = nil }
            return state.onClose
        }
        action?()
    }
}
