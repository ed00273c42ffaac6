import Logging
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Common
@testable import Forwarder
@testable import Queue
@testable import Upstream

/// The times of one call: how long its beginning is held back, when a first token is late, when a call is made again.
@Suite struct CallTimesTests {
    private let eventLoop = EmbeddedEventLoop()
    private let steps = PlayedSteps(isLocal: true)
    private let upstream = PlayedUpstream()
    private let done = Counter()
    private static let comment = ": nothing yet\n\n"
    private static let content = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"

    private func begin(_ options: CallOptions, limits: CallLimits = CallLimits()) -> Call {
        var job = Job(
            insertionID: InsertionIDGenerator().next(), project: "local", method: "POST", path: "/embeddings",
            isStream: true, deadline: Deadline(in: .seconds(600)), responseKey: "r", window: 1 << 20)
        job.options = options
        steps.window = job.window
        let call = Call(
            job, to: Target(provider: "p", request: UpstreamRequest(method: "POST", url: "http://p/")), span: nil,
            steps: steps, by: TargetCaller(upstream: upstream), limits: limits, on: eventLoop,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), done: { [done] in done.add() })
        call.begin()
        return call
    }

    private func answer(_ status: Int = 200) {
        upstream.tell(.head(UpstreamHead(status: status, headers: [HeaderField("content-type", "text/event-stream")])))
    }

    private func send(_ text: String) { upstream.tell(.piece(UpstreamPiece(Array(text.utf8), isRest: false))) }

    private var shown: String { String(decoding: steps.frames.flatMap(\.body), as: UTF8.self) }

    private static let retried = CallOptions(
        retry: .init(attempts: 1, delay: 400, failures: [.streamError, .status(500)]))

    @Test func `what is held leaves after its time`() {
        let call = begin(Self.retried, limits: CallLimits(hold: .seconds(10)))
        answer()
        send(Self.comment)
        eventLoop.advanceTime(by: .milliseconds(9_999))
        #expect(steps.frames.isEmpty)
        eventLoop.advanceTime(by: .milliseconds(1))
        steps.answer(.sent)
        #expect(shown == Self.comment)
        call.stop()
    }

    @Test func `a first token is late at its time`() {
        _ = begin(CallOptions(firstTokenTimeout: 500))
        answer()
        send(Self.comment)
        eventLoop.advanceTime(by: .milliseconds(499))
        #expect(steps.endings.isEmpty && upstream.open == 1)
        eventLoop.advanceTime(by: .milliseconds(1))
        #expect(steps.endings.first?.frame?.head?.status == 408 && upstream.open == 0)
    }

    @Test func `content in time is not late`() {
        let call = begin(CallOptions(firstTokenTimeout: 500))
        answer()
        send(Self.comment)
        send(Self.content)
        steps.answer(.sent)
        eventLoop.advanceTime(by: .seconds(60))
        #expect(steps.endings.isEmpty && shown == Self.comment + Self.content)
        call.stop()
    }

    /// A frame is on its way when the time is over.
    @Test func `a late first token waits for the frame before it`() {
        _ = begin(CallOptions(firstTokenTimeout: 500), limits: CallLimits(hold: .milliseconds(100)))
        answer()
        send(Self.comment)
        eventLoop.advanceTime(by: .milliseconds(600))
        #expect(steps.frames.isEmpty && steps.endings.isEmpty, "the first frame is on its way")
        steps.answer(.sent)
        #expect(shown == Self.comment)
        guard case .brokenOff(let error)? = steps.endings.first?.frame?.end else {
            Issue.record("the stream goes on")
            return
        }
        #expect(error.code == "ttft_timeout")
    }

    @Test func `the pause before a retry is kept`() {
        let call = begin(Self.retried)
        answer(500)
        #expect(upstream.started == 1 && upstream.open == 0)
        eventLoop.advanceTime(by: .milliseconds(199))
        #expect(upstream.started == 1, "half of the pause at the least")
        eventLoop.advanceTime(by: .milliseconds(201))
        #expect(upstream.started == 2)
        call.stop()
    }

    @Test func `a client that leaves ends the pause`() {
        let call = begin(Self.retried)
        answer(500)
        steps.end(.cancelled)
        call.stop()
        eventLoop.advanceTime(by: .seconds(1))
        #expect(upstream.started == 1 && steps.endings.count == 1)
    }

    /// Its body and its span would else lie here for as long as anything may be held back.
    @Test func `a call that is over is not kept for its times`() {
        weak var call: Call?
        do {
            let begun = begin(Self.retried)
            answer()
            send(Self.content)
            steps.answer(.sent)
            upstream.tell(.end(nil))
            steps.finishAll()
            call = begun
        }
        upstream.forget()
        #expect(done.value == 1 && call == nil)
    }

    /// The bound passes while a frame is on its way, and content comes before the word that it has arrived.
    @Test func `content that comes as a frame is on its way is sent`() {
        _ = begin(CallOptions(firstTokenTimeout: 500), limits: CallLimits(hold: .zero))
        answer()
        eventLoop.advanceTime(by: .milliseconds(1))
        send(Self.comment)
        eventLoop.advanceTime(by: .milliseconds(600))
        send(Self.content)
        upstream.tell(.end(nil))
        #expect(steps.frames.isEmpty && steps.endings.isEmpty, "the first frame is on its way")
        steps.answer(.sent)
        #expect(steps.endings.first?.succeeded ?? false)
        let last = steps.endings.first?.frame?.body ?? []
        #expect(shown + String(decoding: last, as: UTF8.self) == Self.comment + Self.content)
    }

    /// The first byte of an answer that is not a stream of events is what its client waits for.
    @Test(arguments: ["audio/mpeg", "application/x-ndjson", "application/json"])
    func `bytes of another form are in time`(type: String) {
        let call = begin(CallOptions(firstTokenTimeout: 500))
        upstream.tell(.head(UpstreamHead(status: 200, headers: [HeaderField("content-type", type)])))
        send(#"{"a":"#)
        steps.answer(.sent)
        eventLoop.advanceTime(by: .seconds(5))
        #expect(steps.endings.isEmpty)
        call.stop()
    }

    /// What its client gives a stream may be a day, and what a provider asks to wait a minute.
    @Test func `a call that is left in a pause is not kept`() {
        weak var call: Call?
        do {
            let begun = begin(Self.retried)
            answer(500)
            steps.end(.cancelled)
            begun.stop()
            steps.finishAll()
            call = begun
        }
        upstream.forget()
        #expect(done.value == 1 && call == nil)
    }
}
