import NIOCore
import NIOEmbedded
import Testing

@testable import Common
@testable import Forwarder
@testable import Upstream

/// What is held back of an answer that may refuse `stream_options`, and for how long.
@Suite struct RefusableTransferTests {
    private final class Receiver: UpstreamReceiver, @unchecked Sendable {
        var (statuses, bytes, ends): ([Int], [UInt8], [UpstreamError?]) = ([], [], [])

        func minimum(for head: UpstreamHead) -> Int { 1 }

        func receive(_ event: UpstreamEvent) {
            switch event {
            case .head(let head): statuses.append(head.status)
            case .piece(let piece): bytes += piece.bytes
            case .end(let error): ends.append(error)
            }
        }
    }

    private static let named = #"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs"}]"#

    private let eventLoop = EmbeddedEventLoop()
    private let upstream = PlayedUpstream()
    private let receiver = Receiver()

    private func start(prompt: Int = 0, added: [String] = ["stream_options"]) {
        let text = String(repeating: "x", count: prompt)
        let body = #"{"model":"m","messages":"\#(text)","stream_options":{"include_usage":true}}"#
        let request = UpstreamRequest(method: "POST", url: "http://p/", body: Array(body.utf8))
        let target = Target(provider: "p", model: "m", request: request, addedMembers: added)
        _ = TargetCaller(upstream: upstream)
            .start(request, to: target, patience: nil, on: eventLoop, receiver, changed: { _ in })
    }

    private func answer(_ status: Int, _ type: String = "application/json") {
        upstream.tell(.head(UpstreamHead(status: status, headers: [HeaderField("content-type", type)])))
    }

    private func send(_ text: String) { upstream.tell(.piece(UpstreamPiece(Array(text.utf8), isRest: false))) }

    private func expectAskedAgain() {
        #expect(upstream.started == 2 && receiver.statuses.isEmpty && receiver.bytes.isEmpty)
        answer(200, "text/event-stream")
        send("data: 1\n\n")
        upstream.tell(.end(nil))
        #expect(receiver.statuses == [200] && receiver.bytes == Array("data: 1\n\n".utf8) && receiver.ends == [nil])
    }

    /// pydantic's validators repeat the request.
    @Test func `a refusal that repeats a long request is one`() {
        start(prompt: 80 << 10)
        answer(422)
        send(Self.named + #","body":{"messages":""#)
        send(String(repeating: "x", count: 80 << 10))
        #expect(upstream.started == 1)
        send(#"","model":"m"}}"#)
        upstream.tell(.end(nil))
        expectAskedAgain()
    }

    @Test func `at the bound what is held decides`() {
        start()
        answer(422)
        send(Self.named + #","body":{"messages":""#)
        send(String(repeating: "x", count: 70 << 10))
        expectAskedAgain()
    }

    @Test func `nothing is lost of what does not name it`() {
        start()
        answer(422)
        send("{")
        send(String(repeating: "x", count: 70 << 10))
        send("}")
        upstream.tell(.end(nil))
        #expect(upstream.started == 1 && receiver.statuses == [422] && receiver.ends == [nil])
        #expect(receiver.bytes == Array(("{" + String(repeating: "x", count: 70 << 10) + "}").utf8))
    }

    @Test func `a refusal whose end is late is one at its time`() {
        start()
        answer(400)
        send(Self.named + "}")
        eventLoop.advanceTime(by: .milliseconds(9_999))
        #expect(upstream.started == 1 && receiver.statuses.isEmpty)
        eventLoop.advanceTime(by: .milliseconds(1))
        expectAskedAgain()
    }

    @Test(arguments: [named, named + "}"]) func `a refusal that breaks off is one`(text: String) {
        start()
        answer(400)
        send(text)
        upstream.tell(.end(UpstreamError(.closedEarly, "played", requestMayHaveBeenSent: true)))
        expectAskedAgain()
    }

    @Test func `a first event that comes late decides`() {
        start()
        answer(200, "text/event-stream")
        send(": PROCESSING\n\n")
        eventLoop.advanceTime(by: .seconds(9))
        send(#"data: {"status":400,"#)
        send(#""error":"no stream_options"}"# + "\n\n")
        expectAskedAgain()
    }

    @Test func `what comes before the first event leaves after its time`() {
        start()
        answer(200, "text/event-stream")
        send(": PROCESSING\n\n")
        #expect(receiver.statuses.isEmpty)
        eventLoop.advanceTime(by: .seconds(10))
        #expect(receiver.statuses == [200] && receiver.bytes == Array(": PROCESSING\n\n".utf8))
        send("data: {\"error\":\"stream_options\"}\n\n")
        upstream.tell(.end(nil))
        #expect(upstream.started == 1 && receiver.ends == [nil])
    }

    @Test func `a 500 is asked again only where it blames the member`() {
        start()
        answer(500)
        send(#"{"error":"create() got an unexpected keyword argument 'stream_options'"}"#)
        upstream.tell(.end(nil))
        expectAskedAgain()
    }

    @Test func `what the client sent itself is not asked again`() {
        start(added: [])
        answer(422)
        send(Self.named + "}")
        upstream.tell(.end(nil))
        #expect(upstream.started == 1 && receiver.statuses == [422] && receiver.bytes.count == Self.named.count + 1)
    }
}
