internal import Common

/// Numbers the events of a server-sent stream, so that a client that lost its connection can say where to go on
/// (`Last-Event-ID`). Pure: bytes in, bytes out.
///
/// The provider's bytes stay as they are; each event gets a line `id: n` before the blank line that ends it. The
/// numbers depend on the bytes alone, so every ingress gives an event the same one, however the bytes are cut into
/// pieces.
struct EventNumbering: Sendable {
    /// An event beyond this is passed on in parts, so that none fills the memory.
    private static let limit = 64 << 10
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// Events up to this one are left out.
    private let last: Int
    private var number = 0
    /// The held bytes of the event that is not complete.
    private var event: [UInt8] = []
    /// Whether comments with which the event begins have been passed on.
    private var hasBegun = false
    /// Whether a part of the event has been passed on.
    private var isCut = false
    /// Whether the held bytes begin a line.
    private var isAtLineStart = true

    /// - Parameter last: the number of the last event that the client has; 0 for none.
    init(after last: Int) { self.last = last }

    /// Whether the client has a part of an event, so that an error must not follow it directly.
    var isInsideEvent: Bool { isCut && number >= last }

    /// - Returns: the events that `bytes` complete, numbered, and the comments behind them, which are there to keep a
    ///   connection alive.
    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var start = 0
        // Stops behind each byte of a CR LF: the LF may come later or not at all.
        while let end = EventLineSplitter.lineEnd(in: bytes, from: start) {
            event += bytes[start...end]
            start = end + 1
            if EventLineSplitter.endsBlankLine(in: event, before: event.count, startsLine: isAtLineStart) {
                finish(into: &out)
            } else if event.last == Self.newline {
                passComment(into: &out)
            }
        }
        event += bytes[start...]
        if event.count > Self.limit { cut(into: &out) }
        return out
    }

    /// - Returns: what is left of a stream that ended without a blank line.
    mutating func rest() -> [UInt8] {
        defer { event = [] }
        return number >= last ? event : []
    }

    /// Passes on the line that has ended with an LF, if it is a comment before the first field of an event.
    private mutating func passComment(into out: inout [UInt8]) {
        guard !isCut, event.first == UInt8(ascii: ":"), number >= last else { return }
        out += event
        event.removeAll(keepingCapacity: true)
        hasBegun = true
    }

    /// Passes on what is held, but for a byte that may belong to the blank line behind which the number stands.
    private mutating func cut(into out: inout [UInt8]) {
        let part = event.last == Self.carriageReturn ? event.dropLast() : event[...]
        if number >= last { out += part }
        isCut = true
        isAtLineStart = part.last == Self.newline
        event = Array(event[part.endIndex...])
    }

    private mutating func finish(into out: inout [UInt8]) {
        defer {
            event.removeAll(keepingCapacity: event.capacity <= Self.limit)
            (hasBegun, isCut, isAtLineStart) = (false, false, true)
        }
        let lineEnd = event.suffix(2).elementsEqual([Self.carriageReturn, Self.newline]) ? 2 : 1
        // A blank line between two events ends none.
        guard hasBegun || isCut || event.count > lineEnd else { return }
        number += 1
        guard number > last else { return }
        out += event.dropLast(lineEnd)
        out += Array("id: \(number)".utf8) + event.suffix(lineEnd) + event.suffix(lineEnd)
    }
}
