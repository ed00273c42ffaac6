internal import Common

/// Puts the answer of a stream together from the bytes of its events, whatever way they are cut. Each byte is looked at a fixed number of times, and what is kept is
/// bounded by `SpanLimits.text`; beyond it the answer is marked as cut.
struct StreamCollector: Sendable {
    private var lines = EventLines()
    /// The data of an event whose JSON goes over several lines.
    private var data: [UInt8] = []
    private var answer = CollectedAnswer()
    var messages: [StreamedMessage] = []
    /// Bytes that may yet be kept.
    private var room = SpanLimits.text
    private(set) var isCut = false
    private var isFirstLine = true
    /// Whether a part of the message has come: text, reasoning or a tool call. A role alone is none.
    private(set) var hasToken = false

    mutating func take(_ piece: [UInt8]) {
        var lines = self.lines
        self.lines = EventLines()
        if !lines.take(piece, { bytes, line in take(line: line, of: bytes) }) { isCut = true }
        self.lines = lines
    }

    /// The answer as far as it has come. An event without its empty line is none, as every reader of such streams has it.
    func collected() -> CollectedAnswer {
        var result = answer
        let messages = self.messages.sorted { $0.index < $1.index }
        result.finishReasons = messages.compactMap { $0.finishReason.isEmpty ? nil : JSONText.unescaped($0.finishReason[...]) }
        result.output = messages.enumerated().flatMap { place, message in
            (place == 0 ? [] : [TextPiece(",")]) + [TextPiece(message.json(isCut: isCut && place == messages.count - 1))]
        }
        if messages.count > 1 { result.output = [TextPiece("[")] + result.output + [TextPiece("]")] }
        if isCut { result.note = "The answer is longer than a span holds; its end is left out." }
        return result
    }

    private mutating func take(line: Range<Int>, of bytes: [UInt8]) {
        var line = line
        if isFirstLine {
            isFirstLine = false
            // HTML standard §9.2.5: a byte order mark may stand before the first line.
            if bytes[line].starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        }
        if line.isEmpty {
            if !data.isEmpty {
                let event = data
                data = []
                _ = take(event: event, 0..<event.count)
            }
            return
        }
        guard line.count > 5, bytes[line.lowerBound] == UInt8(ascii: "d"), bytes[line].starts(with: "data:".utf8) else { return }
        line = line.dropFirst(bytes[line.lowerBound + 5] == UInt8(ascii: " ") ? 6 : 5)
        guard data.isEmpty else { return append(data: bytes[line]) }
        guard !line.isEmpty, bytes[line.lowerBound] == UInt8(ascii: "{") else { return }
        // Nearly every event is one line. Nothing is taken from a part of one, so what is no JSON by itself waits for the next line.
        if !take(event: bytes, line) { append(data: bytes[line]) }
    }

    private mutating func append(data part: ArraySlice<UInt8>) {
        guard data.count + part.count < SpanLimits.line else {
            isCut = true
            return
        }
        if !data.isEmpty { data.append(UInt8(ascii: "\n")) }
        data += part
    }

    /// - Returns: false if it is no JSON, or not all of it.
    private mutating func take(event bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard JSONWalker.isValue(bytes, range: range) else { return false }
        var walker = JSONWalker(bytes, range: range)
        do throws(JSONScanError) {
            try walker.members { (walker, name) throws(JSONScanError) in
                if walker.isName(name, "choices") {
                    try walker.elements { (walker) throws(JSONScanError) in try takeChoice(&walker, bytes) }
                } else if try !answer.readTop(&walker, name, bytes) {
                    try walker.skip()
                }
            }
        } catch {
            return false
        }
        return true
    }

    private mutating func takeChoice(_ walker: inout JSONWalker, _ bytes: [UInt8]) throws(JSONScanError) {
        // The index may stand behind the delta, and seldom is another than 0.
        var index = 0
        var probe = walker
        try probe.members { (probe, name) throws(JSONScanError) in
            if probe.isName(name, "index") { index = Self.number(TextPiece(bytes, try probe.skip())) ?? 0 }
        }
        guard let place = place(of: index) else {
            try walker.skip()
            return
        }
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "delta") {
                try walker.members { (walker, name) throws(JSONScanError) in try takeDelta(&walker, name, bytes, at: place) }
            } else if walker.isName(name, "finish_reason"), let reason = try walker.string() {
                let reason = kept(of: bytes, reason)
                messages[place].finishReason = Array(bytes[reason])
            }
        }
    }

    private mutating func place(of index: Int) -> Int? {
        if let place = messages.firstIndex(where: { $0.index == index }) { return place }
        guard messages.count < SpanLimits.pieces else {
            isCut = true
            return nil
        }
        messages.append(StreamedMessage(index: index))
        return messages.count - 1
    }

    /// Takes room for the inside of a string.
    /// - Returns: as much of it as there is room for.
    mutating func kept(of bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        guard range.count > room else {
            room -= range.count
            return range
        }
        let kept = JSONText.wholePrefix(of: bytes, range, atMost: room)
        // What follows would not join on.
        room = 0
        isCut = true
        return kept
    }

    mutating func noteToken() { hasToken = true }

    mutating func markCut() { isCut = true }

    static func number(_ piece: TextPiece) -> Int? { Int(piece.text) }
}
