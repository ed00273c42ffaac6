import NIOCore
import Testing

@testable import Ingress

/// Who is too slow with a request, and whose connection is of no use to others.
@Suite struct ClientPaceTests {
    private let start = NIODeadline.now()
    private let bounds = ClientPace.Bounds(piece: .seconds(30), request: .seconds(300))
    private let head = ByteBuffer(string: "POST / HTTP/1.1\r\n").readableBytesView

    private func after(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    @Test func `who sends nothing is not slow`() {
        var pace = ClientPace(at: start)
        pace.took(ByteBuffer(string: "\r\n\r\n").readableBytesView, at: after(1))
        #expect(!pace.isTooSlow(at: after(10_000), bounds))
        #expect(pace.givesWaySince == start)
    }

    /// A head counts when it is whole, however its bytes drip.
    @Test func `a head has the time of a piece`() {
        var pace = ClientPace(at: start)
        for second: Int64 in 1...30 { pace.took(head, at: after(second)) }
        #expect(!pace.isTooSlow(at: after(30), bounds) && pace.isTooSlow(at: after(31), bounds))
        #expect(pace.givesWaySince == after(1))
        pace.readPiece(at: after(30))
        #expect(!pace.isTooSlow(at: after(59), bounds) && pace.isTooSlow(at: after(60), bounds))
    }

    @Test func `a body has the time of its request`() {
        var pace = ClientPace(at: start)
        pace.took(head, at: start)
        for second: Int64 in 0...299 { pace.readPiece(at: after(second)) }
        #expect(!pace.isTooSlow(at: after(299), bounds) && pace.isTooSlow(at: after(300), bounds))
        // What is between two pieces counts for nothing.
        pace.took(head, at: after(299))
        #expect(pace.givesWaySince == start)
    }

    @Test func `who waits for an answer is left in peace`() {
        var pace = ClientPace(at: start)
        pace.took(head, at: start)
        pace.readPiece(at: start)
        pace.endRequest()
        #expect(!pace.isTooSlow(at: after(10_000), bounds) && pace.givesWaySince == nil)
        // The next request begins behind it.
        pace.took(head, at: after(1))
        #expect(!pace.isTooSlow(at: after(10_000), bounds) && pace.givesWaySince == nil)
        pace.endAnswer(at: after(20))
        #expect(pace.isTooSlow(at: after(31), bounds) && pace.givesWaySince == after(1))
    }

    /// A refusal comes before the request's end.
    @Test func `an early answer is no later requests`() {
        var pace = ClientPace(at: start)
        pace.readPiece(at: start)
        pace.endAnswer(at: after(1))
        #expect(pace.givesWaySince == start)
        pace.endRequest()
        #expect(pace.givesWaySince == after(1))
        pace.readPiece(at: after(2))
        pace.endRequest()
        #expect(pace.givesWaySince == nil)
    }
}
