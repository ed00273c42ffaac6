internal import Common
internal import JSON

/// Input and output of a span, cut to what a span may hold.
struct SpanTexts {
    private(set) var input: [ByteSlice]
    private(set) var output: ByteSlice?
    /// A note of the cuts; nil if there are none.
    let note: String?

    /// - Parameters:
    ///   - messages: where the request's messages lie in the input.
    ///   - limit: bytes of each of the two.
    ///   - room: bytes that both may take together, written as JSON strings.
    init(input: [ByteSlice], messages: Range<Int>?, output: ByteSlice?, limit: Int, room: Int) {
        self.input = input
        self.output = output
        var (inputNote, outputNote): (String?, String?)
        let count = input.reduce(0) { $0 + $1.count }
        if count > limit {
            self.input = [Self.cut(ByteSlice.joined(input), main: messages, to: limit, name: "input", note: &inputNote)]
        }
        if let output { self.output = Self.cut(output, main: nil, to: limit, name: "output", note: &outputNote) }
        if 6 * (min(count, limit) + min(output?.count ?? 0, limit)) > room {
            // A trace is kept for the answer, which is seldom long: the request gives way, up to half of the room.
            let asked = self.input.reduce(0) { $0 + Self.written($1) }
            if let given = self.output, let output {
                self.output = Self.cut(
                    output, main: nil, first: given, toWritten: max(room - asked, room / 2), name: "output",
                    note: &outputNote)
            }
            let left = room - (self.output.map(Self.written) ?? 0)
            if asked > left {
                self.input = [
                    Self.cut(
                        ByteSlice.joined(input), main: messages, first: ByteSlice.joined(self.input), toWritten: left,
                        name: "input", note: &inputNote)
                ]
            }
        }
        let notes = [inputNote, outputNote].compactMap(\.self)
        note = notes.isEmpty ? nil : notes.joined(separator: " ")
    }

    private static func cut(
        _ piece: ByteSlice, main: Range<Int>?, to limit: Int, name: String, note: inout String?
    ) -> ByteSlice {
        guard piece.count > limit else { return piece }
        guard JSONWalker.isValue(piece.bytes, range: piece.range) else {
            let kept = piece.prefix(limit - 96)
            note = "The \(name) of \(piece.count) bytes is cut to \(kept.count)."
            return ByteSlice.joined([kept, ByteSlice(SpanLimits.mark(kept: kept.count, of: piece.count))])
        }
        var shortener = JSONShortener()
        let shorter = shortener.shorten(piece, to: limit, main: main)
        var parts: [String] = []
        if shortener.cutStrings > 0 { parts.append("long strings cut: \(shortener.cutStrings)") }
        if shortener.leftOut > 0 { parts.append("elements left out: \(shortener.leftOut)") }
        note = "The \(name) of \(piece.count) bytes is cut to \(shorter.count): \(parts.joined(separator: ", "))."
        return shorter
    }

    /// Cuts a text until it has room as a JSON string, by the share that its escapes take.
    /// - Parameter first: the text as it is cut so far.
    private static func cut(
        _ piece: ByteSlice, main: Range<Int>?, first: ByteSlice, toWritten room: Int, name: String,
        note: inout String?
    ) -> ByteSlice {
        var result = first
        for attempt in 0..<4 {
            let size = written(result)
            guard size > room else { break }
            // At worst each byte takes six.
            let limit = attempt < 3 ? Int(Double(result.count) * Double(room) / Double(size)) - 1024 : room / 6
            result = cut(piece, main: main, to: max(limit, 1024), name: name, note: &note)
        }
        return result
    }

    /// Bytes of a text within a JSON string.
    static func written(_ piece: ByteSlice) -> Int {
        piece.bytes[piece.range].withUnsafeBufferPointer { bytes in
            var more = 0
            for byte in bytes {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { more += 1 }
                if byte < 0x20 { more += 5 }
            }
            return bytes.count + more
        }
    }
}
