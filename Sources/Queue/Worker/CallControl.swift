internal import NIOConcurrencyHelpers

/// Controls a running call from outside: ends it, or lets it go on sending.
package final class CallControl: Sendable {
    /// The reason why a call was ended from outside.
    package enum Stop: Sendable, Equatable {
        /// The answer is no longer wanted.
        case cancelled
        /// This process stops and hands the job back.
        case released
    }

    private struct State {
        var stop: Stop?
        var handedOver: Int?
        var isReleased = false
        /// Called when the call is ended.
        var onEnd: (@Sendable () -> Void)?
        /// Bytes of the answer that its reader has taken.
        var credit = 0
        /// The time of Redis's last word that the job is this worker's, as a part of its answer left for the client.
        var confirmedAt: ContinuousClock.Instant?
        var keptBytes = 0
        /// The level that is not waited for any longer.
        var givenUp = 0
        /// A sender that waits until `credit` reaches a level.
        var waiting: (level: Int, goOn: @Sendable () -> Void)?
    }

    private let state = NIOLockedValueBox(State())

    /// The client of a job that was handed over within this process; nil if the answer goes over Redis.
    package let client: (any LocalClient)?

    /// Whether the client is in this process.
    package var isLocal: Bool { client != nil }

    package init(client: (any LocalClient)? = nil) { self.client = client }

    /// The reason why the call was ended; nil until then.
    package var stop: Stop? { state.withLockedValue { $0.stop } }
    /// Bytes of the answer that the client had when it left. Nil if it has not left, or the number is not known.
    package var handedOver: Int? { state.withLockedValue { $0.handedOver } }

    /// Whether this process stops, even if the call was ended before for another reason.
    var isReleased: Bool { state.withLockedValue { $0.isReleased } }

    /// Ends the call. The first reason stands.
    func end(_ reason: Stop, handedOver: Int? = nil) {
        let (onEnd, waiting) = state.withLockedValue { state in
            if reason == .released { state.isReleased = true }
            if state.stop == nil { (state.stop, state.handedOver) = (reason, handedOver) }
            defer { state.waiting = nil }
            return (state.onEnd, state.waiting)
        }
        onEnd?()
        waiting?.goOn()
    }

    /// Ends the call at its deadline. The client has at most the bytes that its reader has said to have taken.
    package func expire() { end(.cancelled, handedOver: state.withLockedValue { $0.credit }) }

    /// Sets the action for the end of the call. It is done at once if the call was ended already.
    package func onEnd(_ action: @escaping @Sendable () -> Void) {
        let isOver = state.withLockedValue { state in
            state.onEnd = action
            return state.stop != nil
        }
        if isOver { action() }
    }

    /// Notes that the call is over: no closure is called any longer. They are dropped, since they may hold the call
    /// itself.
    func close() {
        state.withLockedValue { state in
            state.onEnd = nil
            state.waiting = nil
        }
    }

    /// The time of Redis's last word that the job is this worker's, as a part of its answer left for the client. Nil:
    /// Redis knows of no part, and another worker may repeat the call.
    var confirmedAt: ContinuousClock.Instant? {
        get { state.withLockedValue { $0.confirmedAt } }
        set { state.withLockedValue { $0.confirmedAt = newValue } }
    }

    /// Bytes of the answer that are kept for later.
    var keptBytes: Int {
        get { state.withLockedValue { $0.keptBytes } }
        set { state.withLockedValue { $0.keptBytes = newValue } }
    }

    /// Notes that the reader has taken `bytes` of the answer so far. An older signal changes nothing.
    func credit(_ bytes: Int) {
        let goOn = state.withLockedValue { state -> (@Sendable () -> Void)? in
            state.credit = max(state.credit, bytes)
            guard let waiting = state.waiting, waiting.level <= state.credit else { return nil }
            state.waiting = nil
            return waiting.goOn
        }
        goOn?()
    }

    /// Whether the reader has taken `level` bytes, or the call was ended.
    package func hasCredit(_ level: Int) -> Bool { state.withLockedValue { hasCredit(level, in: $0) } }

    private func hasCredit(_ level: Int, in state: State) -> Bool {
        max(state.credit, state.givenUp) >= level || state.stop != nil
    }

    /// Whether the reader has taken `level` bytes, or the call was ended. If not, `goOn` is called once it is so. Only
    /// one caller asks at a time.
    package func hasCredit(_ level: Int, otherwise goOn: @escaping @Sendable () -> Void) -> Bool {
        state.withLockedValue { state in
            guard !hasCredit(level, in: state) else { return true }
            state.waiting = (level, goOn)
            return false
        }
    }

    /// Waits until the reader has taken `level` bytes, the call was ended, or `limit` has passed: a reader that died
    /// says nothing more. One task calls this.
    package func waitForCredit(_ level: Int, atMost limit: Duration) async {
        guard state.withLockedValue({ $0.credit < level && $0.stop == nil }) else { return }
        await withTaskGroup { group in
            group.addTask { await self.waitForCredit(level) }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            stopWaiting(for: level)
            group.cancelAll()
        }
    }

    private func stopWaiting(for level: Int) {
        let waiting = state.withLockedValue { state in
            state.givenUp = level
            return state.waiting.take()
        }
        waiting?.goOn()
    }

    private func waitForCredit(_ level: Int) async {
        await withCheckedContinuation { continuation in
            if hasCredit(level, otherwise: { continuation.resume() }) { continuation.resume() }
        }
    }
}
