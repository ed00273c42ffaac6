import Logging
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Common
@testable import Forwarder
@testable import Queue
@testable import Upstream

/// A call in whichever order things happen to it. Nothing here has a thread or a clock of its own, so each seed is one
/// course of events.
@Suite struct CallTests {
    @Test(arguments: 0..<400 as Range<UInt64>) func everyCourseOfEventsHasOneEnd(_ seed: UInt64) {
        let course = Course(seed: seed)
        course.run()
        let steps = course.steps
        #expect(course.done.value == 1, "the job is over once")
        let ends = steps.endings.count + steps.releases
        #expect(ends == (steps.isLost ? 0 : 1), "one step ends the job, unless it is another's by now")
        #expect(course.upstream.open == 0, "no transfer is left")
        #expect(!steps.sentAfterTheEnd)
        if steps.releases > 0 { #expect(steps.stop == .released) }

        let frames = steps.frames + steps.endings.compactMap(\.frame).filter { $0.sequence != .max }
        #expect(frames.map(\.sequence) == frames.indices.map(UInt64.init), "frames are numbered from 0 without a hole")
        let shown = frames.flatMap(\.body)
        if steps.endings.first?.succeeded ?? false {
            #expect(shown == course.upstream.given, "a completion that counts is shown whole")
        } else if !steps.frames.isEmpty {
            #expect(course.upstream.given.starts(with: steps.frames.flatMap(\.body)), "what is shown is what came")
            #expect(course.upstream.afterFirstFrame == 0, "a call whose answer has begun is not made again")
        }
    }

    /// The courses must be of all kinds, or the test above says little.
    @Test func theCoursesAreOfAllKinds() {
        var (succeeded, failed, released, lost, repeated) = (0, 0, 0, 0, 0)
        for seed in 0..<400 as Range<UInt64> {
            let course = Course(seed: seed)
            course.run()
            if let ending = course.steps.endings.first { if ending.succeeded { succeeded += 1 } else { failed += 1 } }
            released += course.steps.releases
            lost += course.steps.isLost ? 1 : 0
            repeated += course.upstream.started > 1 ? 1 : 0
        }
        #expect(
            min(succeeded, failed, released, lost, repeated) >= 10,
            "\(succeeded) \(failed) \(released) \(lost) \(repeated)")
    }
}

/// One course of events.
private final class Course {
    let eventLoop = EmbeddedEventLoop()
    let steps: PlayedSteps
    let upstream = PlayedUpstream()
    let done = Counter()
    private var random: SeededRandom
    private let call: Call

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        steps = PlayedSteps(isLocal: random.chance(oneIn: 2))
        let job = Job(
            insertionID: InsertionIDGenerator().next(), project: "local", method: "POST", path: "/embeddings",
            isStream: random.chance(oneIn: 2),
            deadline: UnixTime.milliseconds + 600_000, responseKey: "r", window: random.pick([5, 40, 1000]))
        let target = Target(provider: "p", request: UpstreamRequest(method: "POST", url: "http://p/"))
        steps.window = job.window
        call = Call(
            job, to: target, span: nil, steps: steps, upstream: upstream, attempts: 3, flushInterval: .milliseconds(20),
            on: eventLoop,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), done: { [done] in done.add() })
        upstream.hasShown = { [steps] in !steps.frames.isEmpty }
    }

    func run() {
        call.begin()
        var left = 300
        while done.value == 0, left > 0 {
            left -= 1
            act()
            eventLoop.run()
        }
        // From now on everything comes to its end.
        while done.value == 0 {
            steps.credit(.max)
            steps.answer(.sent)
            upstream.tell(.end(nil))
            steps.finishAll()
            eventLoop.advanceTime(by: .seconds(10))
        }
        // What comes late changes nothing.
        upstream.tell(.piece(UpstreamPiece([1], isRest: false)))
        call.stop()
        eventLoop.advanceTime(by: .seconds(10))
    }

    private func act() {
        switch random.below(100) {
        case 0..<45: upstream.goOn(&random)
        case 45..<65: steps.answer(random.chance(percent: 4) ? .lost : random.chance(percent: 2) ? .failed : .sent)
        case 65..<80: steps.credit(random.below(20))
        case 80..<83:
            steps.end(random.pick([.cancelled, .released]))
            call.stop()
        case 83..<90: eventLoop.advanceTime(by: .milliseconds(Int64(random.below(300))))
        default: steps.finishAll()
        }
    }
}

/// A queue whose answers the test gives.
private final class PlayedSteps: CallSteps, @unchecked Sendable {
    let isLocal: Bool
    var window = 0
    private(set) var stop: CallControl.Stop?
    var handedOver: Int? { nil }
    private(set) var frames: [ResponseFrame] = []
    private(set) var endings: [AnswerSender.Ending] = []
    private(set) var releases = 0
    private(set) var isLost = false
    private(set) var sentAfterTheEnd = false
    private var taken = 0
    private var waiting: (level: Int, goOn: @Sendable () -> Void)?
    private var sending: (frame: ResponseFrame, completion: @Sendable (AnswerSender.Sent) -> Void)?
    private var finishing: [@Sendable () -> Void] = []

    init(isLocal: Bool) { self.isLocal = isLocal }

    func hasCredit(_ level: Int, otherwise goOn: @escaping @Sendable () -> Void) -> Bool {
        guard taken < level, stop == nil else { return true }
        waiting = (level, goOn)
        return false
    }

    func send(
        _ frame: ResponseFrame, isConfirmed: Bool, completion: @escaping @Sendable (AnswerSender.Sent) -> Void
    ) -> AnswerSender.Sent? {
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

    func finish(_ ending: AnswerSender.Ending, completion: @escaping @Sendable () -> Void) {
        endings.append(ending)
        finishing.append(completion)
    }

    func release(completion: @escaping @Sendable () -> Void) {
        releases += 1
        finishing.append(completion)
    }

    func answer(_ outcome: AnswerSender.Sent) {
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
private final class PlayedUpstream: UpstreamClient, @unchecked Sendable {
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

    private func bytes(_ random: inout SeededRandom) -> [UInt8] {
        (0...random.below(12)).map { _ in UInt8(random.below(256)) }
    }

    private func failure(_ random: inout SeededRandom) -> UpstreamError {
        var error = UpstreamError(
            random.pick([.connect, .closedEarly]), "played", requestMayHaveBeenSent: random.chance(oneIn: 3))
        error.keptConnectionClosed = !hasHead && random.chance(oneIn: 3)
        return error
    }
}
