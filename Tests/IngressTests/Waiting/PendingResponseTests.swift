import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Ingress

/// An answer's frames: opened, in order, each once, and the last word of a forwarder that took the job over.
@Suite(.timeLimit(.minutes(5))) struct PendingResponseTests {
    private static let head = UpstreamHead(status: 200, headers: [HeaderField("content-type", "text/event-stream")])
    private static let error = GatewayError(
        status: 502, type: "server_error", code: "forwarder_lost", message: "Lost.", shouldRetry: false)

    private let envelope = Envelope(key: GatewayKey.random())
    private let request: PendingRequest
    private let answer: PendingResponse

    init() {
        request = PendingRequest(id: InsertionIDGenerator().next(), deadline: .distantFuture)
        // Never run: what is said to it stays there.
        let signals = SignalPublisher(
            signals: JobSignals(redis: RedisClient(RedisEndpoint(.unix(path: "/nonexistent")), logger: .silent)),
            logger: .silent)
        answer = PendingResponse(
            request: request,
            frames: ResponseFrames(
                of: request.id, deadline: request.deadline, envelope: envelope, signals: signals, window: 1000,
                logger: .silent)
        )
    }

    private func receive(_ frame: ResponseFrame) throws {
        request.receive(try envelope.seal(frame.wireBytes, for: .frame(request.id)))
    }

    private func frame(_ sequence: UInt64, _ body: [UInt8] = [], end: ResponseFrame.End? = nil) -> ResponseFrame {
        ResponseFrame(sequence: sequence, head: sequence == 0 ? Self.head : nil, body: body, end: end)
    }

    @Test func `frames come in order each once`() async throws {
        for sequence: UInt64 in [0, 0, 1, 0, 1, 2] { try receive(frame(sequence, [UInt8(sequence)])) }
        for sequence: UInt64 in 0...2 { #expect(try await answer.next() == frame(sequence, [UInt8(sequence)])) }
    }

    @Test(arguments: [[1], [0, 2], [0, 1, 3]] as [[UInt64]]) func `a missing frame breaks the answer off`(
        sequences: [UInt64]
    ) async throws {
        for sequence in sequences { try receive(frame(sequence, [1])) }
        for sequence in sequences.dropLast() { #expect(try await answer.next().sequence == sequence) }
        let last = try await answer.next()
        guard case .brokenOff(let error)? = last.end else {
            Issue.record("\(last)")
            return
        }
        #expect(error.code == "answer_lost" && error.shouldRetry == false)
        #expect(last.body.isEmpty && last.head == nil, "nothing of what comes behind a hole is shown")
    }

    /// To a client that has nothing yet it is an answer of its own.
    @Test func `the last word is an answer where none has begun`() async throws {
        try receive(ResponseFrame(lastWord: Self.error))
        let last = try await answer.next()
        #expect(last.head?.status == 502 && last.end == .complete)
        #expect(last.body == Self.error.json)
    }

    /// To one that has something it is only the end.
    @Test func `the last word is an end where an answer has begun`() async throws {
        try receive(frame(0, [1]))
        try receive(ResponseFrame(lastWord: Self.error))
        #expect(try await answer.next() == frame(0, [1]))
        let last = try await answer.next()
        #expect(last.head == nil && last.body.isEmpty)
        guard case .brokenOff(let error)? = last.end else {
            Issue.record("\(last)")
            return
        }
        #expect(error.code == "forwarder_lost")
    }

    @Test func `what cannot be opened is passed over`() async throws {
        let stranger = Envelope(key: GatewayKey.random())
        request.receive(try stranger.seal(frame(0, [7]).wireBytes, for: .frame(request.id)))
        request.receive(try envelope.seal(frame(0, [7]).wireBytes, for: .frame(InsertionIDGenerator().next())))
        request.receive(try envelope.seal([0xFF, 0xFF], for: .frame(request.id)))
        request.receive([])
        try receive(frame(0, [1], end: .complete))
        #expect(try await answer.next() == frame(0, [1], end: .complete))
    }

    /// A forwarder that was upgraded writes what this ingress does not know. Its client is told at once, and not at its
    /// deadline.
    @Test(arguments: [0, 1] as [UInt64]) func `a frame of a later version ends the answer`(
        sequence: UInt64
    ) async throws {
        if sequence > 0 { try receive(frame(0, [1])) }
        var place = Envelope.Context.frame(request.id)
        place.version = 2
        request.receive(try envelope.seal(frame(sequence, [7]).wireBytes, for: place))
        if sequence > 0 { #expect(try await answer.next() == frame(0, [1])) }
        let last = try await answer.next()
        if sequence == 0 {
            #expect(last.head?.status == 502 && last.end == .complete)
            #expect(String(decoding: last.body, as: UTF8.self).contains("answer_unreadable"))
        } else if case .brokenOff(let error)? = last.end {
            #expect(error.code == "answer_unreadable" && error.shouldRetry == false && last.body.isEmpty)
        } else {
            Issue.record("\(last)")
        }
    }

    @Test func `the end of the wait is passed on`() async throws {
        try receive(frame(0, [1]))
        request.end(.deadline)
        #expect(try await answer.next() == frame(0, [1]))
        await #expect(throws: PendingRequest.Ending.deadline) { try await answer.next() }
    }
}
