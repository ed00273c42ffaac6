internal import Common
internal import Logging
internal import NIOConcurrencyHelpers

/// The frames of the answer to one request: opened, in order, each once. One that is missing breaks the answer
/// off, since the rest must not be glued to what came before it.
final class ResponseFrames: Sendable {
    private struct State {
        /// The sequence number that comes next.
        var next: UInt64 = 0
        var taken = 0
        var credited = 0

        /// - Returns: the frame as it stands in this answer; nil if it was there before. One with a hole before it is
        ///   the end.
        mutating func place(_ frame: ResponseFrame) -> ResponseFrame? {
            var frame = frame
            if frame.sequence == .max {
                // The last word of a forwarder that took the job over: an answer of its own if there was none yet, else
                // only its end.
                if next == 0 { frame.end = .complete } else { (frame.head, frame.body) = (nil, []) }
                return frame
            }
            guard frame.sequence >= next else { return nil }
            if frame.sequence > next { frame = ResponseFrame(sequence: frame.sequence, end: .brokenOff(.answerLost)) }
            next = frame.sequence + 1
            return frame
        }
    }

    private let id: InsertionID
    /// When its client stops waiting.
    private let deadline: Deadline
    private let envelope: Envelope
    private let signals: SignalPublisher
    /// The number of bytes that a forwarder sends beyond those that were taken.
    private let window: Int
    private let logger: Logger
    private let state = NIOLockedValueBox(State())

    init(
        of id: InsertionID, deadline: Deadline, envelope: Envelope, signals: SignalPublisher, window: Int,
        logger: Logger
    ) {
        self.id = id
        self.deadline = deadline
        self.envelope = envelope
        self.signals = signals
        self.window = window
        self.logger = logger
    }

    /// - Returns: the frame that came; nil if it is none, or was there before. After one with an end there are no more.
    func take(_ arrival: Waiter.Arrival) -> ResponseFrame? {
        guard let opened = open(arrival), let frame = state.withLockedValue({ $0.place(opened) }) else { return nil }
        if frame.end == .brokenOff(.answerLost) { signals.cancel(id, deadline: deadline) }
        return frame
    }

    /// The client has taken `count` bytes. Tells the forwarder now and then; a short answer needs none of it.
    func took(_ count: Int) {
        let credit: Int? = state.withLockedValue { state in
            state.taken += count
            guard state.taken - state.credited >= window / 2 else { return nil }
            state.credited = state.taken
            return state.taken
        }
        if let credit { signals.credit(id, bytes: credit, deadline: deadline) }
    }

    /// An answer under a key of its own is read without a window.
    private var isKept: Bool { window == .max }

    private func open(_ arrival: Waiter.Arrival) -> ResponseFrame? {
        switch arrival {
        case .opened(let frame): return frame
        case .sealed(let bytes):
            guard let frame = open(bytes) else { return nil }
            signals.drop(id)
            return frame
        }
    }

    private func open(_ sealed: [UInt8]) -> ResponseFrame? {
        do {
            return try ResponseFrame(wireBytes: envelope.open(sealed, for: .frame(id)))
        } catch EnvelopeError.unknownVersion(let version) {
            logger.warning(
                "an answer came in a version that this ingress does not know; upgrade the ingresses",
                metadata: ["insertion_id": "\(id)", "version": "\(version)"])
            // An answer that is kept may be read elsewhere yet, so its call goes on.
            if !isKept { signals.cancel(id, deadline: deadline) }
            return ResponseFrame(lastWord: .answerUnreadable)
        } catch {
            logger.warning(
                "dropped an entry of the response stream that is not a frame of this gateway",
                metadata: ["insertion_id": "\(id)", "error": "\(error.kind)"])
            return nil
        }
    }
}

extension GatewayError {
    /// A forwarder of a newer version answered. What the frame says is not known, so nothing behind it may be shown
    /// either.
    fileprivate static let answerUnreadable = GatewayError(
        status: 502, type: "server_error", code: "answer_unreadable",
        message:
            "The answer was written by a newer version of the gateway than this ingress can read, and the call was "
            + "made. "
            + "Upgrade the ingresses.",
        shouldRetry: false)

    fileprivate static let answerLost = GatewayError(
        status: 502, type: "server_error", code: "answer_lost",
        message:
            "A part of the answer was lost on its way through the queue (Redis), and the call was made. "
            + "Keep Redis's data over its restarts.",
        shouldRetry: false)
}
