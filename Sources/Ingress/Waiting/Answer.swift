internal import Common
internal import Logging
internal import NIOConcurrencyHelpers

/// The answer to one request as it comes in: frames opened, in order, each once. One that is missing breaks the answer off, since the rest must not be glued
/// to what came before it.
final class Answer: Sendable {
    private struct State {
        var frames: [ResponseFrame] = []
        /// The sequence number that comes next.
        var next: UInt64 = 0
        var taken = 0
        var credited = 0

        /// - Returns: false if a frame is missing before this one.
        mutating func append(_ frame: ResponseFrame) -> Bool {
            var frame = frame
            var isNext = true
            if frame.sequence == .max {
                // The last word of a forwarder that took the job over: an answer of its own if there was none yet, else only its end.
                if next == 0 { frame.end = .complete } else { (frame.head, frame.body) = (nil, []) }
            } else {
                guard frame.sequence >= next else { return true }
                isNext = frame.sequence == next
                if !isNext { frame = ResponseFrame(sequence: frame.sequence, end: .brokenOff(.answerLost)) }
                next = frame.sequence + 1
            }
            frames.append(frame)
            return isNext
        }
    }

    private let waiter: Waiter
    private let envelope: Envelope
    private let desk: NewsDesk
    /// How many bytes a forwarder sends beyond what was taken.
    private let window: Int
    private let logger: Logger
    private let state = NIOLockedValueBox(State())

    init(waiter: Waiter, envelope: Envelope, desk: NewsDesk, window: Int, logger: Logger) {
        self.waiter = waiter
        self.envelope = envelope
        self.desk = desk
        self.window = window
        self.logger = logger
    }

    /// The next frame. After one with an end there are no more.
    func next() async throws(Waiter.Ending) -> ResponseFrame {
        while true {
            if let frame = state.withLockedValue({ $0.frames.isEmpty ? nil : $0.frames.removeFirst() }) { return frame }
            let opened = try await waiter.next().compactMap(open)
            let isWhole = state.withLockedValue { state in opened.allSatisfy { state.append($0) } }
            if !isWhole { desk.cancel(waiter.id, deadline: waiter.deadline) }
        }
    }

    /// The client has taken `count` bytes. Tells the forwarder now and then; a short answer needs none of it.
    func took(_ count: Int) {
        let credit: Int? = state.withLockedValue { state in
            state.taken += count
            guard state.taken - state.credited >= window / 2 else { return nil }
            state.credited = state.taken
            return state.taken
        }
        if let credit { desk.credit(waiter.id, bytes: credit, deadline: waiter.deadline) }
    }

    private func open(_ sealed: [UInt8]) -> ResponseFrame? {
        do {
            return try ResponseFrame(wireBytes: envelope.open(sealed, for: .frame(waiter.id)))
        } catch {
            logger.warning(
                "dropped an entry of the response stream that is not a frame of this gateway",
                metadata: ["insertion_id": "\(waiter.id)", "error": "\(error)"])
            return nil
        }
    }
}

extension GatewayError {
    fileprivate static let answerLost = GatewayError(
        status: 502, type: "server_error", code: "answer_lost",
        message: "A part of the answer was lost on its way through the queue (Redis), and the call was made. Keep Redis's data over its restarts.",
        shouldRetry: false)
}
