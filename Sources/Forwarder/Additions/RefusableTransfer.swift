internal import Common
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Upstream

/// One call whose request has members of the gateway's own. An answer that may refuse them is held back until it is
/// whole, and one with a good status as long as it begins as an error does: some servers refuse a request there. If the
/// answer names one of the members, the request is sent once more without it; else the answer goes on as it came.
final class RefusableTransfer: UpstreamTransfer, UpstreamReceiver {
    private enum Phase {
        /// The head has not come.
        case asking
        case holding(UpstreamHead, [UInt8], timer: Scheduled<Void>)
        /// The status is good, and what has come may be the beginning of an error.
        case opening(UpstreamHead, [UInt8], Preamble, timer: Scheduled<Void>)
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

    /// The time for which an answer with a good status may be held back: a refusal comes at once.
    private static let longestOpening = Duration.seconds(1)

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
            guard leaveOutNamed(in: bytes) else {
                release(isRest: true)
                return pass(event)
            }
            timer.cancel()
            start()
        case (.opening(let head, let bytes, var preamble, let timer), .piece(let piece)):
            preamble.take(piece.bytes)
            state.value.phase = .opening(head, bytes + piece.bytes, preamble, timer: timer)
            open(preamble.finding, isRest: piece.isRest)
        case (.opening(_, _, var preamble, _), .end(nil)):
            preamble.end()
            guard case .failed = preamble.finding, open(preamble.finding, isRest: true) else {
                release(isRest: true)
                return pass(event)
            }
        case (.holding, .end), (.opening, .end):
            release()
            pass(event)
        default: pass(event)
        }
    }

    private func take(_ head: UpstreamHead) {
        if MemberRefusal.statuses.contains(head.status), hasAdditions {
            state.value.phase = .holding(head, [], timer: releasing(after: caller.hold))
        } else if (200..<300).contains(head.status), hasAdditions, Preamble.isReadable(head, isStream: false) {
            let preamble = Preamble(isChat: false, room: caller.holdBytes)
            let timer = releasing(after: min(caller.hold, Self.longestOpening))
            state.value.phase = .opening(head, [], preamble, timer: timer)
        } else {
            state.value.phase = .passing
            pass(head)
        }
    }

    /// Whether the present request still has members of the gateway's own.
    private var hasAdditions: Bool { !state.value.target.addedMembers.isEmpty }

    private func releasing(after time: Duration) -> Scheduled<Void> {
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) { self.release() }
    }

    /// Decides by what an answer with a good status begins with.
    /// - Returns: whether the request is sent once more.
    @discardableResult
    private func open(_ finding: Preamble.Finding, isRest: Bool) -> Bool {
        guard case .opening(_, let bytes, _, let timer) = state.value.phase else { return false }
        switch finding {
        case .failed:
            let refusing = present.withLockedValue { $0.transfer }
            guard leaveOutNamed(in: bytes) else { break }
            timer.cancel()
            refusing?.cancel()
            start()
            return true
        case .undecided where bytes.count <= caller.holdBytes && ErrorOpening.mayBegin(bytes): return false
        case .undecided, .content: break
        }
        release(isRest: isRest)
        return false
    }

    /// Passes on what was held back.
    private func release(isRest: Bool = false) {
        guard !isOver else { return }
        switch state.value.phase {
        case .holding(let head, let bytes, let timer), .opening(let head, let bytes, _, let timer):
            timer.cancel()
            state.value.phase = .passing
            pass(head)
            if !bytes.isEmpty { pass(.piece(UpstreamPiece(bytes, isRest: isRest))) }
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
    /// - Returns: false if it names none, or there is no time left.
    private func leaveOutNamed(in refusal: [UInt8]) -> Bool {
        let named = state.value.target.addedMembers.filter { MemberRefusal.names($0, in: refusal) }
        return !named.isEmpty && leaveOut(named)
    }

    /// - Returns: false if there is no time left for another request.
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
