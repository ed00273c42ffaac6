internal import Common
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Upstream

/// One call whose request has members of the gateway's own.
///
/// An answer that may refuse these members is held back until it is whole. An answer with a good status is held back
/// until its first event or its body has come, since some servers refuse a request there. Time and bytes are bounded.
/// At a bound, or if the answer breaks off, the part that has come decides. If the answer names one of the members, the
/// request is sent once more without it. Otherwise the answer goes on as it came.
final class RefusableTransfer: UpstreamTransfer, UpstreamReceiver {
    private enum Phase {
        /// The head has not come.
        case asking
        case holding(UpstreamHead, timer: Scheduled<Void>)
        /// The status is good, and the first event or the body may be an error.
        case opening(UpstreamHead, ErrorOpening, timer: Scheduled<Void>)
        case passing
    }

    private struct State {
        var phase = Phase.asking
        /// The bytes that are held back.
        var held: [UInt8] = []
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
        case (.holding, .piece(let piece)):
            state.value.held += piece.bytes
            // Some servers repeat the request in their refusal.
            let most = caller.holdBytes + state.value.request.body.count
            if state.value.held.count > most { settle() }
        case (.opening(let head, var opening, let timer), .piece(let piece)):
            opening.take(piece.bytes)
            state.value.phase = .opening(head, opening, timer: timer)
            state.value.held += piece.bytes
            if opening.finding != .undecided || state.value.held.count > caller.holdBytes {
                settle(isRest: piece.isRest)
            }
        case (.holding, .end(let error)), (.opening, .end(let error)):
            if !settle(isRest: error == nil, hasEnded: true) { pass(event) }
        default: pass(event)
        }
    }

    private func take(_ head: UpstreamHead) {
        if MemberRefusal.mayRefuse(head.status), hasAdditions {
            state.value.phase = .holding(head, timer: settling(after: caller.hold))
        } else if (200..<300).contains(head.status), hasAdditions, Preamble.isReadable(head, isStream: false) {
            state.value.phase = .opening(head, ErrorOpening(), timer: settling(after: caller.hold))
        } else {
            state.value.phase = .passing
            pass(head)
        }
    }

    /// Whether the present request still has members of the gateway's own.
    private var hasAdditions: Bool { !state.value.target.addedMembers.isEmpty }

    private func settling(after time: Duration) -> Scheduled<Void> {
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) { self.settle() }
    }

    /// Decides by the held bytes: sends the request once more, or passes the answer on.
    /// - Parameters:
    ///   - isRest: whether the held bytes are all of the answer.
    ///   - hasEnded: whether the present request's call is over.
    /// - Returns: whether the request is sent once more.
    @discardableResult
    private func settle(isRest: Bool = false, hasEnded: Bool = false) -> Bool {
        guard !isOver else { return false }
        let refused: [String]
        switch state.value.phase {
        case .holding(let head, let timer):
            timer.cancel()
            let (held, isWhole) = (state.value.held, isRest && hasEnded)
            refused = state.value.target.addedMembers.filter {
                MemberRefusal.names($0, in: held, isWhole: isWhole, status: head.status)
            }
        case .opening(_, var opening, let timer):
            timer.cancel()
            if hasEnded { opening.end() }
            refused = state.value.target.addedMembers.filter { opening.names($0) }
        case .asking, .passing: return false
        }
        let refusing = hasEnded ? nil : present.withLockedValue { $0.transfer }
        guard !refused.isEmpty, leaveOut(refused) else {
            release(isRest: isRest)
            return false
        }
        refusing?.cancel()
        start()
        return true
    }

    /// Passes on the held bytes.
    private func release(isRest: Bool) {
        switch state.value.phase {
        case .holding(let head, _), .opening(let head, _, _):
            let held = state.value.held
            state.value.held = []
            state.value.phase = .passing
            pass(head)
            if !held.isEmpty { pass(.piece(UpstreamPiece(held, isRest: isRest))) }
        case .asking, .passing: return
        }
    }

    private func pass(_ head: UpstreamHead) {
        if (200..<300).contains(head.status), !state.value.leftOut.isEmpty {
            caller.note(state.value.leftOut, refusedBy: first)
        }
        pass(.head(head))
    }

    /// The receiver may end the call with each event.
    private func pass(_ event: UpstreamEvent) {
        if case .end = event { present.withLockedValue { $0.transfer = nil } }
        if !isOver { receiver.receive(event) }
    }

    /// Makes the next request ready, without the members that a refusal names.
    /// - Returns: false if there is no time left for another request.
    private func leaveOut(_ members: [String]) -> Bool {
        var request = state.value.request
        let left = total - began.duration(to: .now)
        guard left > .zero else { return false }
        let target = state.value.target.without(members)
        request.body = target.request.body
        state.value.phase = .asking
        state.value.held = []
        state.value.target = target
        state.value.leftOut += members
        state.value.number += 1
        state.value.request = request
        state.value.request.timeouts.total = left
        changed(target)
        return true
    }
}
