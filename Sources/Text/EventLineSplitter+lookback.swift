/// Finds blank lines from their ends, for readers that hold an event until all of its blank line has come.
///
/// A blank line is a line end directly behind another one. A CR behind an LF ends none: it may be the first byte of a
/// CR LF, for whose LF such a reader waits. CR CR does end one, since a stream whose lines end with CR has nothing to
/// wait for.
extension EventLineSplitter {
    /// - Parameter startsLine: whether a line begins with the first of `bytes`.
    /// - Returns: whether the byte before `end` is the last one of a blank line.
    @inlinable package static func endsBlankLine(in bytes: [UInt8], before end: Int, startsLine: Bool = false) -> Bool {
        guard end > 0 else { return false }
        var line = end - 1
        switch bytes[line] {
        case carriageReturn: return line > 0 && bytes[line - 1] == carriageReturn
        case lineFeed:
            if line > 0, bytes[line - 1] == carriageReturn { line -= 1 }
            return line > 0 ? bytes[line - 1] == lineFeed : startsLine
        default: return false
        }
    }

    /// - Parameter startsLine: whether a line begins with the first of `bytes`.
    /// - Returns: the place behind the last blank line, if that ends behind `start`; nil if none ends there.
    @inlinable package static func lastBlankLineEnd(
        in bytes: [UInt8], behind start: Int, startsLine: Bool = false
    ) -> Int? {
        var end = bytes.count
        while end > start {
            if endsLine(bytes[end - 1]), endsBlankLine(in: bytes, before: end, startsLine: startsLine) { return end }
            end -= 1
        }
        return nil
    }
}
