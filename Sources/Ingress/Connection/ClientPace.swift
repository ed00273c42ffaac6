internal import NIOCore

/// How a client sends its requests, as far as it says whether its connection may be closed. Pure: the time is told.
struct ClientPace: Sendable {
    /// How long a client may take.
    struct Bounds: Sendable {
        /// For the head of a request, and between two pieces of its body (`CLIENT_READ_TIMEOUT`).
        var piece: TimeAmount
        /// For a request as a whole (`REQUEST_TIMEOUT`).
        var request: TimeAmount
    }

    /// The request that is being read.
    private struct Reading: Sendable {
        var began: NIODeadline
        /// When something of it came last that it needed; the pieces of a head count for nothing until it is whole.
        var last: NIODeadline
    }

    private var reading: Reading?
    /// Requests that were read to their end, less those that were answered.
    private var waiting = 0
    /// Since when nothing is asked for.
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

    /// Whether the client takes longer for its request than it may. Who waits for an answer meanwhile is not asked.
    func isTooSlow(at now: NIODeadline, _ bounds: Bounds) -> Bool {
        guard let reading, waiting <= 0 else { return false }
        return now - reading.last >= bounds.piece || now - reading.began >= bounds.request
    }

    /// Since when the connection is of no use to others: it stands idle, or a request is being read. Nil: an answer is
    /// waited for.
    var givesWaySince: NIODeadline? { waiting > 0 ? nil : reading?.began ?? idle }
}
