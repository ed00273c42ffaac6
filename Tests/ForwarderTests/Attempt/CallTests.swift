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
    @Test(arguments: 0..<400 as Range<UInt64>) func `every course of events has one end`(_ seed: UInt64) {
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
    @Test func `the courses are of all kinds`() {
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
            deadline: Deadline(in: .seconds(600)), responseKey: "r", window: random.pick([5, 40, 1000]))
        var asking = job
        if random.chance(oneIn: 2) {
            let failures: Set<Route.Failure> = [.status(500), .connectError, .streamError, .firstTokenTimeout]
            asking.options.retry = Route.Retry(attempts: random.below(3), delay: random.below(200), failures: failures)
        }
        if random.chance(oneIn: 3) { asking.options.firstTokenTimeout = 1 + random.below(600) }
        let limits = CallLimits(calls: random.pick([2, 10]), hold: .milliseconds(random.below(400)), holdBytes: 30)
        let target = Target(provider: "p", request: UpstreamRequest(method: "POST", url: "http://p/"))
        steps.window = job.window
        call = Call(
            asking, to: target, span: nil, steps: steps, by: TargetCaller(upstream: upstream), limits: limits,
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
        case 45..<65:
            let isRefused = random.chance(percent: 4)
            steps.answer(random.chance(percent: 4) ? .lost : isRefused ? random.pick([.failed, .full]) : .sent)
        case 65..<80: steps.credit(random.below(20))
        case 80..<83:
            steps.end(random.pick([.cancelled, .released]))
            call.stop()
        case 83..<90: eventLoop.advanceTime(by: .milliseconds(Int64(random.below(300))))
        default: steps.finishAll()
        }
    }
}
