import Testing

@testable import Common
@testable import Queue
@testable import Upstream

@Suite struct ResponseFramerTests {
    private let head = UpstreamHead(status: 200, headers: [HeaderField("content-type", "application/json")])

    /// The frames of an answer whose body comes in these pieces, as `JobRunner` asks for them.
    private func frames(_ pieces: [[UInt8]], minimum: Int) -> [ResponseFrame] {
        var framer = ResponseFramer(head: head)
        var frames = pieces.flatMap { framer.take($0, isWhole: $0.count < minimum) }
        frames.append(framer.last())
        #expect(framer.next == UInt64(frames.count))
        return frames
    }

    @Test(arguments: [[], [[1, 2, 3]]] as [[[UInt8]]]) func `a short answer is one frame`(_ pieces: [[UInt8]]) {
        #expect(
            frames(pieces, minimum: 100) == [
                ResponseFrame(sequence: 0, head: head, body: Array(pieces.joined()), end: .complete)
            ])
    }

    @Test func `a long answer ends with its rest`() {
        let full = [UInt8](repeating: 1, count: 100)
        #expect(
            frames([full, full, [2]], minimum: 100) == [
                ResponseFrame(sequence: 0, head: head, body: full), ResponseFrame(sequence: 1, body: full),
                ResponseFrame(sequence: 2, body: [2], end: .complete),
            ])
    }

    @Test func `a stream leaves at once`() {
        var framer = ResponseFramer(head: head)
        #expect(!framer.hasBegun)
        #expect(framer.take([1], isWhole: false) == [ResponseFrame(sequence: 0, head: head, body: [1])])
        #expect(framer.hasBegun)
        #expect(framer.take([2], isWhole: false) == [ResponseFrame(sequence: 1, body: [2])])
        #expect(framer.last() == ResponseFrame(sequence: 2, end: .complete))
    }

    /// What has lain leaves, however little it is; only what the end may follow waits for it.
    @Test func `what has lain leaves before the end`() {
        var framer = ResponseFramer(head: head)
        #expect(framer.take([1], isWhole: false) == [ResponseFrame(sequence: 0, head: head, body: [1])])
        #expect(framer.take([2], isWhole: true) == [])
        #expect(framer.last() == ResponseFrame(sequence: 1, body: [2], end: .complete))
    }

    @Test func `an answer that breaks off keeps what was held`() {
        var framer = ResponseFramer(head: head)
        _ = framer.take([1], isWhole: false)
        _ = framer.take([2], isWhole: true)
        framer.hold([3])
        #expect(framer.heldBytes == 2)
        let error = GatewayError(status: 502, type: "upstream_error", code: "closed_early", message: "gone")
        #expect(framer.last(error) == ResponseFrame(sequence: 1, body: [2, 3], end: .brokenOff(error)))
    }

    /// Between two frames the sender looks whether the reader keeps up, so no frame is large.
    @Test func `a large piece is cut`() {
        var framer = ResponseFramer(head: head)
        let piece = (0..<600 << 10).map { UInt8(truncatingIfNeeded: $0) }
        let frames = framer.take(piece, isWhole: false)
        #expect(frames.map(\.body.count) == [256 << 10, 256 << 10, 88 << 10])
        #expect(Array(frames.map(\.body).joined()) == piece)
    }

    /// Whatever pieces a provider sends, the frames are numbered without a gap, only the first has the head, only the
    /// last the end, and no byte is lost.
    @Test func `random pieces come together again`() {
        var random = SystemRandomNumberGenerator()
        for round in 0..<2000 {
            let minimum = [1, 7, 100][round % 3]
            let pieces = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                (0..<Int.random(in: 1...150, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random)
                }
            }
            let frames = frames(pieces, minimum: minimum)
            #expect(frames.map(\.sequence) == (0..<UInt64(frames.count)).map { $0 })
            #expect(frames.map { $0.head == head } == frames.indices.map { $0 == 0 })
            #expect(frames.map { $0.end == .complete } == frames.indices.map { $0 == frames.count - 1 })
            #expect(
                Array(frames.map(\.body).joined()) == Array(pieces.joined()), "minimum \(minimum), pieces \(pieces)")
        }
    }

    private struct Asked: Sendable {
        var type: String? = "application/json"
        var status = 200
        var isStream = false
        var window = 1_048_576
        var minimum = 1
    }

    @Test(arguments: [
        Asked(type: "text/event-stream"), Asked(type: "Text/Event-Stream; charset=utf-8"),
        Asked(type: "text/event-stream", status: 500, isStream: true),
        Asked(isStream: true), Asked(type: nil, isStream: true), Asked(status: 429, isStream: true, minimum: 262_144),
        Asked(minimum: 262_144),
        Asked(window: 1000, minimum: 1000), Asked(window: 0, minimum: 1),
    ])
    private func `asks for every byte of a stream only`(_ asked: Asked) {
        let head = UpstreamHead(
            status: asked.status, headers: asked.type.map { [HeaderField("Content-Type", $0)] } ?? [])
        #expect(ResponseFramer.minimum(for: head, isStream: asked.isStream, window: asked.window) == asked.minimum)
    }
}
