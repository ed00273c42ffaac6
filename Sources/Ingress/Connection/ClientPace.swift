internal import NIOCore

/// The pace at which a client sends its requests, for the decision whether its connection may be closed. Pure: the
/// caller tells the time.
struct ClientPace: Sendable {
    /// The longest times that a client may take.
    struct Bounds: Sendable {
        /// For the head of a request, and between two pieces of its body (`CLIENT_READ_TIMEOUT`).
        var piece: TimeAmount
        /// For a request as a whole (`REQUEST_TIMEOUT`).
        var request: TimeAmount
    }

    /// The request that is being read.
    private struct Reading: Sendable {
        var began: NIODeadline
        /// The time at which the last needed part of it came. The pieces of a head count only once the head is whole.
        var last: NIODeadline
    }

    private var reading: Reading?
    /// Requests that were read to their end, less those that were answered.
    private var waiting = 0
    /// The time since which nothing has been asked for.
    private var idle: NIODeadline

    init(at now: NIODeadline) { idle = now }

    /// Bytes have come. Line ends between two requests (RFC 9112 §2.2) do not begin one.
    mutating func took(_ bytes: ByteBufferView, at now: @autoclosure () -> NIODeadline) {
        guard reading == nil, bytes.contains(where: { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }) else {
            return
        }
        let now = now()
        reading = Reading(began: now, last: now)
    }

    /// A head has been read, or a piece of a body.
    mutating func readPiece(at now: NIODeadline) {
        if reading == nil { reading = Reading(began: now, last: now) }
        reading?.last = now
    }

    /// A request has been read to its end.
    mutating func endRequest() {
        reading = nil
        waiting += 1
    }

    /// An answer has been written to its end; maybe before its request was read to its own.
    mutating func endAnswer(at now: NIODeadline) {
        waiting -= 1
        idle = now
    }

    /// Whether the client takes longer for its request than it may. A client that waits for an answer is never too
    /// slow.
    func isTooSlow(at now: NIODeadline, _ bounds: Bounds) -> Bool {
        guard let reading, waiting <= 0 else { return false }
        return now - reading.last >= bounds.piece || now - reading.began >= bounds.request
    }

    /// The time since which nothing is done for the client: its connection stands idle, or a request is being read.
    /// Nil: the client waits for an answer.
    var givesWaySince: NIODeadline? { waiting > 0 ? nil : reading?.began ?? idle }
}
