import NIOCore
import TestSupport
import Testing

@testable import Common
@testable import Forwarder
@testable import Queue
@testable import Upstream

/// A queue whose answers the test gives.
final class PlayedSteps: CallSteps, @unchecked Sendable {
    let isLocal: Bool
    var window = 0
    private(set) var stop: CallControl.Stop?
    var handedOver: Int? { nil }
    private(set) var frames: [ResponseFrame] = []
    private(set) var endings: [ResponseSender.Ending] = []
    private(set) var releases = 0
    private(set) var isLost = false
    private(set) var sentAfterTheEnd = false
    private var taken = 0
    private var waiting: (level: Int, goOn: @Sendable () -> Void)?
    private var sending: (frame: ResponseFrame, completion: @Sendable (ResponseSender.Sent) -> Void)?
    private var finishing: [@Sendable () -> Void] = []

    init(isLocal: Bool) { self.isLocal = isLocal }

    func hasCredit(_ level: Int, otherwise goOn: @escaping @Sendable () -> Void) -> Bool {
        guard taken < level, stop == nil else { return true }
        waiting = (level, goOn)
        return false
    }

    func send(
        _ frame: ResponseFrame, isConfirmed: Bool, completion: @escaping @Sendable (ResponseSender.Sent) -> Void
    ) -> ResponseSender.Sent? {
        sentAfterTheEnd = sentAfterTheEnd || !endings.isEmpty || releases > 0 || isLost || sending != nil
        #expect(
            frames.reduce(0) { $0 + $1.body.count } - taken <= window || stop != nil,
            "a slow reader holds the sender up")
        if isLocal, !frames.isEmpty {
            frames.append(frame)
            return .sent
        }
        sending = (frame, completion)
        return nil
    }

    func finish(_ ending: ResponseSender.Ending, completion: @escaping @Sendable () -> Void) {
        endings.append(ending)
        finishing.append(completion)
    }

    func release(completion: @escaping @Sendable () -> Void) {
        releases += 1
        finishing.append(completion)
    }

    func answer(_ outcome: ResponseSender.Sent) {
        guard let (frame, completion) = sending else { return }
        sending = nil
        if outcome == .sent { frames.append(frame) }
        if outcome == .lost { isLost = true }
        completion(outcome)
    }

    func credit(_ bytes: Int) {
        taken = bytes == .max ? .max : taken + bytes
        guard let (level, goOn) = waiting, level <= taken else { return }
        waiting = nil
        goOn()
    }

    func end(_ reason: CallControl.Stop) {
        if stop == nil { stop = reason }
        let goOn = waiting?.goOn
        waiting = nil
        goOn?()
    }

    func finishAll() {
        let all = finishing
        finishing = []
        for completion in all { completion() }
    }
}

/// A provider whose transfers the test plays.
final class PlayedUpstream: UpstreamClient, @unchecked Sendable {
    private final class Transfer: UpstreamTransfer, @unchecked Sendable {
        var isOver = false
        func cancel() { isOver = true }
        func pause() {}
        func resume() {}
    }

    private(set) var started = 0
    /// Transfers that were started after a part of an answer had been shown.
    private(set) var afterFirstFrame = 0
    var hasShown = { false }
    /// The bytes of the present transfer.
    private(set) var given: [UInt8] = []
    private var transfer: Transfer?
    private var receiver: (any UpstreamReceiver)?
    private var hasHead = false

    var open: Int { transfer.map { $0.isOver ? 0 : 1 } ?? 0 }

    func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        throw UpstreamError(.unavailable, "this one is told what to do", requestMayHaveBeenSent: false)
    }

    func start(
        _ request: UpstreamRequest, patience: Duration?, on eventLoop: any EventLoop, to receiver: any UpstreamReceiver
    ) -> any UpstreamTransfer {
        #expect(open == 0, "one transfer at a time")
        started += 1
        if hasShown() { afterFirstFrame += 1 }
        (given, hasHead) = ([], false)
        let transfer = Transfer()
        (self.transfer, self.receiver) = (transfer, receiver)
        return transfer
    }

    /// Lets go of the last transfer.
    func forget() { (transfer, receiver) = (nil, nil) }

    func tell(_ event: UpstreamEvent) {
        guard let transfer, !transfer.isOver, let receiver else { return }
        switch event {
        case .head: hasHead = true
        case .piece(let piece): given += piece.bytes
        case .end: transfer.isOver = true
        }
        receiver.receive(event)
    }

    /// The provider does something.
    func goOn(_ random: inout SeededRandom) {
        guard hasHead else {
            if random.chance(percent: 15) { return tell(.end(failure(&random))) }
            return tell(
                .head(
                    UpstreamHead(
                        status: random.pick([200, 200, 200, 500]),
                        headers: [HeaderField("content-type", "text/event-stream")])))
        }
        switch random.below(12) {
        case 0: tell(.end(nil))
        case 1: tell(.end(failure(&random)))
        case 2:
            tell(.piece(UpstreamPiece(bytes(&random), isRest: true)))
            tell(.end(nil))
        default: tell(.piece(UpstreamPiece(bytes(&random), isRest: false)))
        }
    }

    private static let events = [
        ": a comment\n\n", "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n",
        "data: {\"error\":\"e\"}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
    ]

    private func bytes(_ random: inout SeededRandom) -> [UInt8] {
        if random.chance(oneIn: 3) { return Array(random.pick(Self.events).utf8) }
        return (0...random.below(12)).map { _ in UInt8(random.below(256)) }
    }

    private func failure(_ random: inout SeededRandom) -> UpstreamError {
        var error = UpstreamError(
            random.pick([.connect, .closedEarly]), "played", requestMayHaveBeenSent: random.chance(oneIn: 3))
        error.keptConnectionClosed = !hasHead && random.chance(oneIn: 3)
        return error
    }
}
