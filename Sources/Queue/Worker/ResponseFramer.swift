package import Common
internal import NIOConcurrencyHelpers
package import Upstream

/// Cuts an answer into frames. Pure: bytes in, frames out.
package struct ResponseFramer: Sendable {
    /// The size to which frames of an answer that is not a stream grow, as far as its bytes come in time. So the usual
    /// answer is one frame.
    private static let frameBytes = 256 << 10

    package let head: UpstreamHead
    /// Bytes that wait to leave with the end.
    private var held: [UInt8] = []
    /// The number of the next frame.
    package private(set) var next: UInt64 = 0

    /// - Parameter head: the head as the client shall see it.
    package init(head: UpstreamHead) { self.head = head }

    /// Bytes that wait to leave with the end.
    package var heldBytes: Int { held.count }

    /// Whether a part of the answer has left.
    package var hasBegun: Bool { next > 0 }

    /// The fewest bytes worth a frame at once: 1 in a stream, where every token counts. An error that answers a request
    /// for a stream is not a stream. Bytes that have lain for `FLUSH_INTERVAL_MS` are worth a frame in any answer.
    package static func minimum(for head: UpstreamHead, isStream: Bool, window: Int) -> Int {
        head.isEventStream || (isStream && (200..<300).contains(head.status)) ? 1 : min(frameBytes, max(window, 1))
    }

    /// - Parameter isWhole: whether this is the rest of the answer, if that ended well.
    /// - Returns: the frames that leave now.
    package mutating func take(_ piece: [UInt8], isWhole: Bool) -> [ResponseFrame] {
        var frames: [ResponseFrame] = []
        if !held.isEmpty { frames.append(frame(held)) }
        held = []
        if isWhole {
            held = piece
        } else {
            // Between two frames the sender looks whether the reader keeps up, so none is larger than this.
            for start in stride(from: 0, to: piece.count, by: Self.frameBytes) {
                frames.append(frame(Array(piece[start..<min(start + Self.frameBytes, piece.count)])))
            }
        }
        return frames
    }

    /// Takes bytes that leave with the end.
    package mutating func hold(_ rest: [UInt8]) { held += rest }

    /// The frame that ends the answer.
    /// - Parameter error: the reason why the answer is cut short; nil if it is complete.
    package mutating func last(_ error: GatewayError? = nil) -> ResponseFrame {
        var last = frame(held)
        held = []
        last.end = error.map { .brokenOff($0) } ?? .complete
        return last
    }

    private mutating func frame(_ body: [UInt8]) -> ResponseFrame {
        defer { next += 1 }
        return ResponseFrame(sequence: next, head: next == 0 ? head : nil, body: body)
    }
}

/// Sends an answer as frames of its job, as fast as its reader takes them.
final class FrameWriter: ResponseSink {
    private struct State {
        var framer: ResponseFramer?
        var isEventStream = false
        var passed = 0
    }

    private let job: Job
    private let delivery: Delivery
    private let sender: ResponseSender
    private let control: CallControl
    private let state = NIOLockedValueBox(State())

    init(job: Job, delivery: Delivery, sender: ResponseSender, control: CallControl) {
        self.job = job
        self.delivery = delivery
        self.sender = sender
        self.control = control
    }

    func begin(_ head: UpstreamHead) async throws {
        state.withLockedValue { state in
            state.framer = ResponseFramer(head: head)
            state.isEventStream = head.isEventStream
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        // Other than an event, a piece waits for the next, so that a short answer leaves whole with the end of its job.
        let frames = state.withLockedValue { state in state.framer?.take(bytes, isWhole: !state.isEventStream) ?? [] }
        for frame in frames {
            try await sender.send(frame, of: job, in: delivery, control: control)
            let passed = state.withLockedValue { state in
                state.passed += frame.body.count
                return state.passed
            }
            await control.waitForCredit(passed - job.window, atMost: job.remaining())
            guard control.stop == nil, job.remaining() > .zero else { throw CancellationError() }
        }
    }

    /// The frame that ends a whole answer.
    func last() -> ResponseFrame? { state.withLockedValue { $0.framer?.last() } }

    /// The frame that ends an answer which could not be made: it is the answer if none has begun.
    func failure(_ error: GatewayError) -> ResponseFrame {
        let sequence = state.withLockedValue { $0.framer?.next ?? 0 }
        return sequence == 0 ? ResponseFrame(refusal: error) : ResponseFrame(sequence: sequence, end: .brokenOff(error))
    }
}
