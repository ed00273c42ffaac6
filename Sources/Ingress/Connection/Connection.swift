internal import NIOConcurrencyHelpers
internal import NIOCore

/// One client's connection, as a waiting request sees it: it can ask to be told when the client goes away.
final class Connection: Sendable {
    private struct State {
        var isClosed = false
        var onClose: (@Sendable (Int) -> Void)?
        /// The answer that is being written, counted from the connection's beginning, and how many bytes of its body
        /// the socket has taken.
        var answer = 0
        var handedOver = 0
        var pace = ClientPace(at: .now())
    }

    private let state = NIOLockedValueBox(State())

    /// The pace at which its client sends requests.
    var pace: ClientPace { state.withLockedValue { $0.pace } }

    /// Notes an event on which its client's pace depends.
    func note(_ change: (inout ClientPace) -> Void) { state.withLockedValue { change(&$0.pace) } }

    var isClosed: Bool { state.withLockedValue { $0.isClosed } }

    /// Bytes of the body of the present request's answer that the socket has taken.
    var handedOver: Int { state.withLockedValue { $0.handedOver } }

    /// The next answer begins.
    /// - Returns: its number.
    func beginAnswer() -> Int {
        state.withLockedValue { state in
            state.answer += 1
            state.handedOver = 0
            return state.answer
        }
    }

    /// The socket has taken bytes of an answer's body. What is said late of an earlier answer counts for nothing.
    func handOver(_ bytes: Int, of answer: Int) {
        state.withLockedValue { state in
            if state.answer == answer { state.handedOver += bytes }
        }
    }

    /// Calls `action` when the client goes away, with the bytes of the answer that were handed over. There is one at a
    /// time, as there is one request at a time.
    /// - Returns: false if the client has gone already; `action` is not called then.
    func watch(_ action: @escaping @Sendable (_ handedOver: Int) -> Void) -> Bool {
        state.withLockedValue { state in
            if !state.isClosed { state.onClose = action }
            return !state.isClosed
        }
    }

    /// Forgets what `watch` was given: the answer is complete.
    func unwatch() { state.withLockedValue { $0.onClose = nil } }

    func close() {
        let (action, handedOver) = state.withLockedValue { state in
            state.isClosed = true
            defer { state.onClose = nil }
            return (state.onClose, state.handedOver)
        }
        action?(handedOver)
    }
}
