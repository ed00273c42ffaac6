/// Cuts a server-sent stream between its events only: the beginning of one waits for its end. A client can do nothing
/// with a part of an event, and an error that ends the stream would be read as the rest of it. Comments and empty lines
/// between two events are there to keep a connection alive, and wait for nothing. Pure: bytes in, bytes out; none are
/// changed.
struct WholeEvents: Sendable {
    /// An event beyond this is passed on in parts, so that none fills the memory.
    private static let limit = 64 << 10
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// The beginning of an event.
    private var held: [UInt8] = []
    /// Whether a part of an event has been passed on.
    private(set) var isInsideEvent = false
    /// Whether a part of a comment that stands before an event has been passed on.
    private var isInsideComment = false

    /// Whether the last line that was passed on has no end yet, so that an error must not follow it directly.
    var isInsideLine: Bool { isInsideEvent || isInsideComment }

    /// - Returns: what may be passed on: the events that `bytes` complete, and comments and empty lines behind them.
    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        let known = held.count
        held += bytes
        var end = held.count
        while end > known, !endsEvent(at: end) { end -= 1 }
        if end > known {
            (isInsideEvent, isInsideComment) = (false, false)
        } else {
            end = 0
        }
        if !isInsideEvent { end = endOfComments(from: end) }
        if end == 0 {
            guard held.count > Self.limit else { return [] }
            isInsideEvent = true
            end = held.count
        }
        defer { held.removeFirst(end) }
        return end == held.count ? held : Array(held[..<end])
    }

    /// - Returns: what is left of a stream that has ended well.
    mutating func rest() -> [UInt8] {
        defer { held = [] }
        return held
    }

    /// - Parameter start: where an event begins, or its comment goes on.
    /// - Returns: where the comments and empty lines end that come first. The last comment may be a part only.
    private mutating func endOfComments(from start: Int) -> Int {
        var place = start
        while place < held.count, isInsideComment || held[place] == UInt8(ascii: ":") || Self.endsLine(held[place]) {
            while place < held.count, !Self.endsLine(held[place]) { place += 1 }
            isInsideComment = place == held.count
            if !isInsideComment { place += 1 }
        }
        return place
    }

    private static func endsLine(_ byte: UInt8) -> Bool { byte == newline || byte == carriageReturn }

    /// Whether a blank line ends before `index`: a line end directly behind another one, each of them `\n`, `\r\n` or
    /// `\r` (HTML Living Standard §9.2.5).
    private func endsEvent(at index: Int) -> Bool {
        guard index >= 2 else { return false }
        switch held[index - 1] {
        case Self.newline:
            let line = held[index - 2] == Self.carriageReturn ? index - 3 : index - 2
            return line >= 0 && held[line] == Self.newline
        case Self.carriageReturn: return held[index - 2] == Self.carriageReturn
        default: return false
        }
    }
}
