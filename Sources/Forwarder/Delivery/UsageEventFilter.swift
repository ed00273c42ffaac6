internal import Common

/// Takes the event with the usage out of a stream for a client that did not ask for it.
///
/// All other bytes pass unchanged and at once. An unfinished event is held only while it may be the one with the usage.
/// An event that is longer than `SpanLimits.heldEvent` is another one.
struct UsageEventFilter: Sendable {
    private var lines = EventLineSplitter()
    private var probe = UsageEventProbe()
    /// The beginning of the event, if it may be the usage and came in earlier pieces.
    private var held: [UInt8] = []
    /// Bytes of the event that were looked at; 0 before it begins.
    private var count = 0
    private var isComment = false
    /// Whether the event that ended last was taken out.
    private var tookOut = false

    /// - Returns: what the client gets now; `piece` itself where nothing is held or taken out.
    mutating func pass(_ piece: [UInt8]) -> [UInt8] {
        var out = held.isEmpty ? nil : [UInt8]()
        /// The place before which all is passed on or taken out.
        var done = 0
        var place = lines.begin(piece)
        // The second half of a line's end. Between two events it belongs to the first of them.
        if place > 0, count == 0, tookOut { takeOut(from: 0, to: place, of: piece, &done, &out) }
        /// The beginning of the event in this piece.
        var start = count == 0 ? place : 0
        while let line = lines.nextLine(in: piece, from: place) {
            take(line.text, of: piece, &out)
            place = line.end
            // A comment (`: keep-alive`) belongs to no event.
            guard line.isBlank || isComment else {
                count += 1
                probe.endLine()
                continue
            }
            tookOut = !isComment && probe.isUsage
            if tookOut {
                takeOut(from: start, to: place, of: piece, &done, &out)
                held = []
            } else {
                release(to: &out)
            }
            (probe, count, isComment) = (UsageEventProbe(), 0, false)
            start = place
        }
        take(place..<piece.count, of: piece, &out)
        if isOrdinary || count == 0 { start = piece.count }
        if done == 0, start == piece.count, out == nil { return piece }
        if start < piece.count { held += piece[start...] }
        return (out ?? []) + piece[done..<max(start, done)]
    }

    /// The bytes that are still held when the stream ends.
    mutating func end() -> [UInt8] {
        defer { held = [] }
        return probe.isUsage ? [] : held
    }

    /// Whether the event's bytes pass at once.
    private var isOrdinary: Bool { isComment || probe.isOrdinary }

    /// Takes bytes of a line, in which no line ends, until they show that the event is another.
    private mutating func take(_ range: Range<Int>, of piece: [UInt8], _ out: inout [UInt8]?) {
        if count == 0, !range.isEmpty, piece[range.lowerBound] == UInt8(ascii: ":") { isComment = true }
        var place = range.lowerBound
        while place < range.upperBound, !isOrdinary {
            probe.take(piece[place])
            place += 1
            count += 1
            if count > SpanLimits.heldEvent { probe.giveUp() }
        }
        if isOrdinary { release(to: &out) }
    }

    private mutating func release(to out: inout [UInt8]?) {
        guard !held.isEmpty else { return }
        out = (out ?? []) + held
        held = []
    }

    private func takeOut(from start: Int, to end: Int, of piece: [UInt8], _ done: inout Int, _ out: inout [UInt8]?) {
        out = (out ?? []) + piece[done..<start]
        done = end
    }
}
