internal import Common
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Upstream

/// One call whose request has members of the gateway's own. An answer that may refuse them is held back until it is
/// whole. If it names one of them, the request is sent once more without it; else the answer goes on as it came.
final class RefusableTransfer: UpstreamTransfer, UpstreamReceiver {
    private enum Phase {
        /// The head has not come.
        case asking
        case holding(UpstreamHead, [UInt8], timer: Scheduled<Void>)
        case passing
    }

    private struct State {
        var phase = Phase.asking
        var target: Target
        var request: UpstreamRequest
        /// The members that were left out of the present request.
        var leftOut: [String] = []
        /// Tells the present request's events from those of the one before.
        var number = 0
    }

    /// Receives the events of one of the requests.
    private final class Attempt: UpstreamReceiver {
        private let transfer: RefusableTransfer
        private let number: Int

        init(_ transfer: RefusableTransfer, _ number: Int) { (self.transfer, self.number) = (transfer, number) }

        func minimum(for head: UpstreamHead) -> Int { transfer.minimum(for: head) }

        func receive(_ event: UpstreamEvent) {
            if transfer.state.value.number == number { transfer.receive(event) }
        }
    }

    private let caller: TargetCaller
    private let first: Target
    private let patience: Duration?
    private let eventLoop: any EventLoop
    private let receiver: any UpstreamReceiver
    private let changed: @Sendable (Target) -> Void
    private let began = ContinuousClock.now
    private let total: Duration
    private let state: NIOLoopBoundBox<State>
    /// The present request's, and whether the call was ended.
    private let present = NIOLockedValueBox<(transfer: (any UpstreamTransfer)?, isOver: Bool)>((nil, false))

    init(
        _ request: UpstreamRequest, to target: Target, by caller: TargetCaller, patience: Duration?,
        on eventLoop: any EventLoop, to receiver: any UpstreamReceiver, changed: @escaping @Sendable (Target) -> Void
    ) {
        self.caller = caller
        first = target
        self.patience = patience
        self.eventLoop = eventLoop
        self.receiver = receiver
        self.changed = changed
        total = request.timeouts.total
        state = NIOLoopBoundBox(State(target: target, request: request), eventLoop: eventLoop)
    }

    /// Sends the request.
    func start() {
        let attempt = Attempt(self, state.value.number)
        let transfer = caller.upstream.start(
            state.value.request, patience: patience, on: eventLoop, to: attempt)
        let isOver = present.withLockedValue { present in
            if !present.isOver { present.transfer = transfer }
            return present.isOver
        }
        if isOver { transfer.cancel() }
    }

    private var isOver: Bool { present.withLockedValue { $0.isOver } }

    func cancel() {
        let transfer = present.withLockedValue { present -> (any UpstreamTransfer)? in
            defer { present = (nil, true) }
            return present.transfer
        }
        transfer?.cancel()
    }

    func pause() { present.withLockedValue { $0.transfer }?.pause() }

    func resume() { present.withLockedValue { $0.transfer }?.resume() }

    func minimum(for head: UpstreamHead) -> Int { receiver.minimum(for: head) }

    func receive(_ event: UpstreamEvent) {
        guard !isOver else { return }
        switch (state.value.phase, event) {
        case (.asking, .head(let head)): take(head)
        case (.holding(let head, let bytes, let timer), .piece(let piece)):
            state.value.phase = .holding(head, bytes + piece.bytes, timer: timer)
            if bytes.count + piece.bytes.count > caller.holdBytes { release() }
        case (.holding(_, let bytes, let timer), .end(nil)):
            let named = state.value.target.addedMembers.filter { MemberRefusal.names($0, in: bytes) }
            guard !named.isEmpty, leaveOut(named) else {
                release(isRest: true)
                return pass(event)
            }
            timer.cancel()
            start()
        case (.holding, .end):
            release()
            pass(event)
        default: pass(event)
        }
    }

    private func take(_ head: UpstreamHead) {
        if (200..<300).contains(head.status), !state.value.leftOut.isEmpty {
            caller.note(state.value.leftOut, refusedBy: first)
        }
        guard MemberRefusal.statuses.contains(head.status), !state.value.target.addedMembers.isEmpty else {
            state.value.phase = .passing
            return pass(.head(head))
        }
        let timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(caller.hold)) { self.release() }
        state.value.phase = .holding(head, [], timer: timer)
    }

    /// Passes on what was held back.
    private func release(isRest: Bool = false) {
        guard case .holding(let head, let bytes, let timer) = state.value.phase, !isOver else { return }
        timer.cancel()
        state.value.phase = .passing
        pass(.head(head))
        if !bytes.isEmpty { pass(.piece(UpstreamPiece(bytes, isRest: isRest))) }
    }

    /// The receiver may end the call with each event.
    private func pass(_ event: UpstreamEvent) {
        if case .end = event { present.withLockedValue { $0.transfer = nil } }
        if !isOver { receiver.receive(event) }
    }

    /// Makes the next request ready.
    /// - Returns: false if there is no time left for it.
    private func leaveOut(_ members: [String]) -> Bool {
        var request = state.value.request
        let left = total - began.duration(to: .now)
        guard left > .zero else { return false }
        let target = state.value.target.without(members)
        request.body = target.request.body
        state.value.phase = .asking
        state.value.target = target
        state.value.leftOut += members
        state.value.number += 1
        state.value.request = request
        state.value.request.timeouts.total = left
        changed(target)
        return true
    }
}
