/// Numbers the events of a server-sent stream, so that a client that lost its connection can say where to go on
/// (`Last-Event-ID`). Pure: bytes in, bytes out.
///
/// The provider's bytes stay as they are; each event gets a line `id: n` before the blank line that ends it. The
/// numbers depend on the bytes alone, so every ingress gives an event the same one, however the bytes are cut into
/// pieces.
struct EventNumbering: Sendable {
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// Events up to this one are left out.
    private let last: Int
    private var number = 0
    /// The event that is not complete.
    private var event: [UInt8] = []
    /// Whether comments with which it begins have been passed on.
    private var hasBegun = false

    /// - Parameter last: the number of the last event that the client has; 0 for none.
    init(after last: Int) { self.last = last }

    /// - Returns: the events that `bytes` complete, numbered, and the comments behind them, which are there to keep a
    ///   connection alive.
    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        for byte in bytes {
            event.append(byte)
            guard byte == Self.newline else { continue }
            endsWithBlankLine ? finish(into: &out) : passComment(into: &out)
        }
        return out
    }

    /// - Returns: what is left of a stream that ended without a blank line.
    mutating func rest() -> [UInt8] {
        defer { event = [] }
        return number >= last ? event : []
    }

    /// A line end directly behind another one, both `\n` or `\r\n` (HTML Living Standard §9.2.5).
    private var endsWithBlankLine: Bool {
        var line = event.dropLast()
        if line.last == Self.carriageReturn { line = line.dropLast() }
        return line.isEmpty || line.last == Self.newline
    }

    /// Passes on the line that has ended, if it is a comment before the first field of an event.
    private mutating func passComment(into out: inout [UInt8]) {
        guard event.first == UInt8(ascii: ":"), number >= last else { return }
        out += event
        event.removeAll(keepingCapacity: true)
        hasBegun = true
    }

    private mutating func finish(into out: inout [UInt8]) {
        defer {
            event.removeAll(keepingCapacity: true)
            hasBegun = false
        }
        let lineEnd = event.suffix(2).first == Self.carriageReturn ? 2 : 1
        // A blank line between two events ends none.
        guard hasBegun || event.count > lineEnd else { return }
        number += 1
        guard number > last else { return }
        out += event.dropLast(lineEnd)
        out += Array("id: \(number)".utf8) + event.suffix(lineEnd) + event.suffix(lineEnd)
    }
}
