internal import Common

/// Cuts a server-sent stream between its events only: the beginning of an event waits for its end. A client can do
/// nothing with a part of an event. An error that ends the stream would be read as the rest of that event. Comments and
/// empty lines between two events are there to keep a connection alive, and wait for nothing. Pure: bytes in, bytes
/// out; none are changed.
struct WholeEvents: Sendable {
    /// An event beyond this is passed on in parts, so that none fills the memory.
    private static let limit = 64 << 10

    /// The beginning of an event.
    private var held: [UInt8] = []
    /// Whether a part of an event has been passed on.
    private(set) var isInsideEvent = false
    /// Whether that part ended with an LF, so that a blank line may come next.
    private var isAtLineStart = false
    /// Whether a part of a comment that stands before an event has been passed on.
    private var isInsideComment = false

    /// Whether the last line that was passed on has no end yet, so that an error must not follow it directly.
    var isInsideLine: Bool { isInsideEvent || isInsideComment }

    /// - Returns: what may be passed on: the events that `bytes` complete, and comments and empty lines behind them.
    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        let known = held.count
        held += bytes
        var end = 0
        // Looked for from the end: nearly every piece ends with one, so that few bytes are looked at.
        if let blank = EventLineSplitter.lastBlankLineEnd(in: held, behind: known, startsLine: isAtLineStart) {
            end = blank
            (isInsideEvent, isAtLineStart, isInsideComment) = (false, false, false)
        }
        if !isInsideEvent { end = endOfComments(from: end) }
        if end == 0 {
            guard held.count > Self.limit else { return [] }
            isInsideEvent = true
            // A CR is held back: a blank line behind it is found only beside it.
            end = held.last == UInt8(ascii: "\r") ? held.count - 1 : held.count
            isAtLineStart = held[end - 1] == UInt8(ascii: "\n")
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
        while place < held.count,
            isInsideComment || held[place] == UInt8(ascii: ":") || EventLineSplitter.endsLine(held[place])
        {
            place = EventLineSplitter.lineEnd(in: held, from: place) ?? held.count
            isInsideComment = place == held.count
            if !isInsideComment { place += 1 }
        }
        return place
    }
}
