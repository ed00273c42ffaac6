internal import NIOConcurrencyHelpers
internal import NIOCore

/// A call whose events are pushed to a receiver: what the event loop and the loop of libcurl share of it. Its identity
/// is the call's name in the latter.
final class CurlPushedCall: UpstreamTransfer {
    private struct State {
        /// Nil once the end was received, or the call was cancelled.
        var receiver: (any UpstreamReceiver)?
        /// Bytes of pieces that the event loop has not taken yet.
        var bytesUnderway = 0
        /// Whether the peer waits for the event loop to take them.
        var isBehind = false
    }

    let eventLoop: any EventLoop
    let patience: Duration?
    private let loop: CurlLoop
    private let state: NIOLockedValueBox<State>

    init(_ loop: CurlLoop, patience: Duration?, on eventLoop: any EventLoop, to receiver: any UpstreamReceiver) {
        self.loop = loop
        self.patience = patience
        self.eventLoop = eventLoop
        state = NIOLockedValueBox(State(receiver: receiver))
    }

    var id: ObjectIdentifier { ObjectIdentifier(self) }

    func cancel() {
        let receiver = state.withLockedValue { $0.receiver.take() }
        if receiver != nil { loop.give(.cancel(self)) }
    }

    func pause() { loop.give(.pause(self)) }

    func resume() { loop.give(.resume(self)) }
}

extension CurlPushedCall {
    // What libcurl's loop does.

    /// The number of bytes of an answer that are worth a piece.
    func minimum(for head: UpstreamHead) -> Int { state.withLockedValue { $0.receiver }?.minimum(for: head) ?? 0 }

    /// Notes a piece that leaves for the event loop. Returns whether another one may follow before this one is taken.
    func noteSent(_ count: Int) -> Bool {
        state.withLockedValue { state in
            state.bytesUnderway += count
            state.isBehind = state.bytesUnderway >= BodyBuffer.capacity
            return !state.isBehind
        }
    }

    // What the event loop does.

    func receive(_ event: UpstreamEvent) {
        let receiver = state.withLockedValue { state in
            if case .end = event { return state.receiver.take() }
            return state.receiver
        }
        receiver?.receive(event)
        if case .piece(let piece) = event { noteTaken(piece.bytes.count) }
    }

    private func noteTaken(_ count: Int) {
        let hasCaughtUp = state.withLockedValue { state in
            state.bytesUnderway -= count
            guard state.isBehind, state.bytesUnderway < BodyBuffer.capacity else { return false }
            state.isBehind = false
            return true
        }
        if hasCaughtUp { loop.give(.catchUp(self)) }
    }
}
