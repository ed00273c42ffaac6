/// Takes the event with the usage out of a stream for a client that did not ask for it.
///
/// All other bytes pass as they are, and at once: of an event that has not ended, what may yet be the usage is held,
/// and nothing else. An event that shows that it is another is held no longer, and one that grows beyond
/// `SpanLimits.heldEvent` is another.
struct UsageEventFilter: Sendable {
    private var probe = UsageEventProbe()
    /// The beginning of the event, if it may be the usage and came in earlier pieces.
    private var held: [UInt8] = []
    /// Bytes of the event so far.
    private var count = 0
    private var isLineEmpty = true
    private var isComment = false
    private var endedWithCR = false
    /// Whether what ended last was taken out.
    private var tookOut = false

    /// - Returns: what the client gets now; `piece` itself where nothing is held or taken out.
    mutating func pass(_ piece: [UInt8]) -> [UInt8] {
        var out = held.isEmpty ? nil : [UInt8]()
        /// The place before which all is passed on or taken out.
        var done = 0
        /// The beginning of the event in this piece.
        var start = 0
        var place = 0
        while place < piece.count {
            let byte = piece[place]
            place += 1
            if endedWithCR {
                endedWithCR = false
                if byte == UInt8(ascii: "\n") {
                    // The second half of a line's end. Between two events it belongs to the first of them.
                    guard count == 0 else { continue }
                    if tookOut { takeOut(from: place - 1, to: place, of: piece, &done, &out) }
                    start = place
                    continue
                }
            }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                endedWithCR = byte == UInt8(ascii: "\r")
                guard endLine() else {
                    count += 1
                    continue
                }
                if !isComment, probe.isUsage {
                    takeOut(from: start, to: place, of: piece, &done, &out)
                    held = []
                    tookOut = true
                } else {
                    release(to: &out)
                    tookOut = false
                }
                startEvent()
                start = place
            } else {
                take(byte)
                guard isOrdinary else { continue }
                release(to: &out)
                while place < piece.count, piece[place] != UInt8(ascii: "\n"), piece[place] != UInt8(ascii: "\r") {
                    place += 1
                }
            }
        }
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

    private mutating func take(_ byte: UInt8) {
        // A comment (`: keep-alive`) belongs to no event.
        if count == 0, byte == UInt8(ascii: ":") { isComment = true }
        isLineEmpty = false
        count += 1
        guard !isOrdinary else { return }
        probe.take(byte)
        if count > SpanLimits.heldEvent { probe.giveUp() }
    }

    /// - Returns: whether the event ends here.
    private mutating func endLine() -> Bool {
        defer { isLineEmpty = true }
        if isLineEmpty || isComment { return true }
        probe.endLine()
        return false
    }

    private mutating func startEvent() {
        probe = UsageEventProbe()
        (count, isLineEmpty, isComment) = (0, true, false)
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
