internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOConcurrencyHelpers
internal import Upstream

/// The answer to one request as a task reads it.
final class PendingResponse: Sendable {
    private let request: PendingRequest
    private let frames: ResponseFrames

    /// - Parameter frames: puts in order what the request receives.
    init(request: PendingRequest, frames: ResponseFrames) {
        self.request = request
        self.frames = frames
    }

    /// The next frame. After one with an end there are no more.
    func next() async throws(PendingRequest.Ending) -> ResponseFrame {
        while true {
            if let frame = frames.take(try await request.next()) { return frame }
        }
    }

    /// The client has taken `count` bytes.
    func took(_ count: Int) { frames.took(count) }
}

extension PendingResponse {
    /// The answer as the client gets it: a short one whole, a longer one as it comes.
    /// - Parameter numbering: numbers the events of an answer that is a stream of them.
    func response(_ outcome: DeliveryOutcome, numbering: EventNumbering? = nil) async throws -> Response {
        let first: ResponseFrame
        do throws(PendingRequest.Ending) { first = try await next() } catch {
            outcome.finished()
            throw GatewayError(error)
        }
        guard let head = first.head else {
            outcome.finished()
            if case .brokenOff(let error)? = first.end { throw error }
            throw GatewayError.ingressFailed
        }
        let isEventStream = head.isEventStream
        var response = Response(status: .init(code: head.status), headers: HTTPFields(head.headers))
        if case .complete? = first.end, !isEventStream || numbering == nil {
            outcome.finished()
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: first.body))
        } else {
            response.body = body(
                from: first, outcome, isEventStream: isEventStream, numbering: isEventStream ? numbering : nil)
        }
        return response
    }

    /// The answer from a frame that is here to its end.
    private func body(
        from first: ResponseFrame, _ outcome: DeliveryOutcome, isEventStream: Bool, numbering: EventNumbering?
    ) -> ResponseBody {
        ResponseBody { [self] writer in
            var frame = first
            var body = PendingResponseBody(isEventStream: isEventStream, numbering: numbering)
            do {
                while true {
                    if !frame.body.isEmpty {
                        let bytes = body.take(frame.body)
                        if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
                        took(frame.body.count)
                    }
                    if let end = frame.end {
                        outcome.finished()
                        let rest = try body.rest(before: end)
                        if !rest.isEmpty { try await writer.write(ByteBuffer(bytes: rest)) }
                        return try await writer.finish(nil)
                    }
                    do throws(PendingRequest.Ending) { frame = try await next() } catch {
                        frame = ResponseFrame(sequence: .max, end: .brokenOff(GatewayError(error)))
                    }
                }
            } catch {
                if frame.end == nil { outcome.abandoned() }
                throw error
            }
        }
    }
}

/// Turns the bytes of an answer's frames into those that the client is sent. Pure.
struct PendingResponseBody {
    private let isEventStream: Bool
    private var numbering: EventNumbering?
    private var events = WholeEvents()

    /// - Parameter numbering: numbers the events of an answer that is a stream of them.
    init(isEventStream: Bool, numbering: EventNumbering? = nil) {
        self.isEventStream = isEventStream
        self.numbering = numbering
    }

    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        numbering?.take(bytes) ?? (isEventStream ? events.take(bytes) : bytes)
    }

    /// The bytes that are left to send when the answer ends.
    /// - Throws: the error that ended it, where a body has no place for one: the only honest end is a broken
    ///   connection.
    mutating func rest(before end: ResponseFrame.End) throws(GatewayError) -> [UInt8] {
        switch end {
        case .complete: return numbering?.rest() ?? events.rest()
        // The beginning of an event that never ends is left out.
        case .brokenOff(let error):
            guard isEventStream else { throw error }
            let isInside = numbering?.isInsideEvent ?? events.isInsideLine
            return (isInside ? Array("\n\n".utf8) : []) + error.serverSentEvent
        }
    }
}

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
    /// The time at which its client stops waiting.
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
    func take(_ arrival: PendingRequest.Arrival) -> ResponseFrame? {
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

    private func open(_ arrival: PendingRequest.Arrival) -> ResponseFrame? {
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

extension HTTPFields {
    /// The headers that a forwarder let through.
    init(_ headers: [HeaderField]) {
        self.init()
        for header in headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            append(HTTPField(name: name, value: header.value))
        }
    }
}

extension GatewayError {
    /// The error for a client whose wait ended without an answer.
    init(_ ending: PendingRequest.Ending) {
        switch ending {
        case .disconnected:
            self.init(
                status: 499, type: "server_error", code: "client_closed_request",
                message: "The client closed its connection.")
        case .deadline:
            self.init(
                status: 504, type: "server_error", code: "no_answer_in_time",
                message:
                    "No forwarder answered within REQUEST_TIMEOUT. See /ready for live forwarders; the call may have been made.",
                shouldRetry: false)
        case .stopped:
            self.init(
                status: 503, type: "server_error", code: "shutting_down",
                message: "This ingress is stopping, and the call may have been made.", retryAfter: 1, shouldRetry: false
            )
        }
    }
}

extension GatewayError {
    /// A forwarder of a newer version answered. What the frame says is not known, so nothing behind it may be shown
    /// either.
    fileprivate static let answerUnreadable = GatewayError(
        status: 502, type: "server_error", code: "answer_unreadable",
        message:
            "The answer was written by a newer version of the gateway than this ingress can read. "
            + "The request was carried out. Upgrade the ingresses.",
        shouldRetry: false)

    fileprivate static let answerLost = GatewayError(
        status: 502, type: "server_error", code: "answer_lost",
        message:
            "A part of the answer was lost on its way through the queue (Redis). The request was carried out. "
            + "Keep Redis's data over its restarts.",
        shouldRetry: false)
}
