internal import Common
internal import JSON
internal import NIOConcurrencyHelpers
internal import Policies

/// Finds the places in JSON that a redactor takes out: in strings, as their readers have them, and in numbers. Names of
/// members stay. A string that holds JSON is read as JSON.
struct ContentWalk {
    private static let deepestLevel = 4

    private let text: UnsafeBufferPointer<UInt8>
    private let redactor: ContentRedactor
    private let work: NIOLockedValueBox<Int>
    /// The number of strings within which this text lies.
    private let level: Int
    private var edits: [TextEdit] = []

    /// A value of JSON without what the redactor finds.
    /// - Parameters:
    ///   - piece: the value; it has been scanned.
    ///   - work: the work that the search may cost yet.
    static func clean(json piece: ByteSlice, _ redactor: ContentRedactor, _ work: NIOLockedValueBox<Int>) -> ByteSlice {
        let edits = piece.bytes.withUnsafeBufferPointer { bytes in
            var walk = ContentWalk(bytes, redactor: redactor, work: work, level: 0)
            walk.walk(piece.range)
            return walk.edits
        }
        return TextEdit.apply(edits, to: piece)
    }

    /// A text, JSON or not, without what the redactor finds.
    static func clean(text piece: ByteSlice, _ redactor: ContentRedactor, _ work: NIOLockedValueBox<Int>) -> ByteSlice {
        TextEdit.apply(edits(of: piece, redactor, work, level: 0), to: piece)
    }

    /// The findings in a text. A text that is JSON is read as JSON. A text that only begins so, such as the arguments
    /// of a call that was cut off, is read as both. A text with escapes may quote JSON, and is read with them and
    /// without.
    private static func edits(
        of piece: ByteSlice, _ redactor: ContentRedactor, _ work: NIOLockedValueBox<Int>, level: Int
    ) -> [TextEdit] {
        let first = piece.bytes[piece.range].first { $0 > 0x20 }
        let opens = level <= deepestLevel && (first == UInt8(ascii: "{") || first == UInt8(ascii: "["))
        let isJSON = opens && JSONWalker.isValue(piece.bytes, range: piece.range)
        return piece.bytes.withUnsafeBufferPointer { bytes in
            var walk = ContentWalk(bytes, redactor: redactor, work: work, level: level)
            if opens { walk.walk(piece.range) }
            guard !isJSON else { return walk.edits }
            var edits = TextEdit.merge(walk.edits, walk.found(in: piece.range))
            if !opens, bytes[piece.range].contains(UInt8(ascii: "\\")) {
                let string = EscapedString(bytes, piece.range)
                let resolved = ByteSlice(string.text)
                let found = resolved.bytes.withUnsafeBufferPointer {
                    ContentWalk($0, redactor: redactor, work: work, level: level).found(in: resolved.range)
                }
                edits = TextEdit.merge(edits, string.edits(found))
            }
            return edits
        }
    }

    private init(
        _ text: UnsafeBufferPointer<UInt8>, redactor: ContentRedactor, work: NIOLockedValueBox<Int>, level: Int
    ) {
        (self.text, self.redactor, self.work, self.level) = (text, redactor, work, level)
    }

    /// The findings in a part of the text as it stands.
    private func found(in range: Range<Int>) -> [TextEdit] {
        let part = UnsafeBufferPointer(rebasing: text[range])
        return work.withLockedValue { work in
            redactor.findings(in: part, within: &work).map { TextEdit($0, after: range.lowerBound) }
        }
    }

    private mutating func walk(_ range: Range<Int>) {
        var place = range.lowerBound
        while place < range.upperBound {
            switch text[place] {
            case UInt8(ascii: "\""):
                let inside = place + 1..<stringEnd(from: place + 1, before: range.upperBound)
                place = min(inside.upperBound + 1, range.upperBound)
                if !isName(before: place, range.upperBound) { look(in: inside) }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                let start = place
                while place < range.upperBound, Self.isOfNumber(text[place]) { place += 1 }
                guard let finding = found(in: start..<place).first else { continue }
                let mark = String(decoding: finding.replacement, as: UTF8.self)
                edits.append(TextEdit(range: start..<place, replacement: JSONText.quoted(mark)))
            default: place += 1
            }
        }
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// The place of the quote that ends a string.
    private func stringEnd(from start: Int, before end: Int) -> Int {
        var place = start
        while place < end, text[place] != UInt8(ascii: "\"") {
            place += text[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(place, end)
    }

    private func isName(before place: Int, _ end: Int) -> Bool {
        var place = place
        while place < end, text[place] <= 0x20 { place += 1 }
        return place < end && text[place] == UInt8(ascii: ":")
    }

    private mutating func look(in inside: Range<Int>) {
        guard !inside.isEmpty else { return }
        let part = UnsafeBufferPointer(rebasing: text[inside])
        let hasEscapes = part.contains(UInt8(ascii: "\\"))
        let first = part.first { $0 > 0x20 }
        guard hasEscapes || first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            edits += found(in: inside)
            return
        }
        let string = EscapedString(text, inside)
        edits += string.edits(Self.edits(of: ByteSlice(string.text), redactor, work, level: level + 1))
    }
}

extension TextEdit {
    fileprivate init(_ finding: ContentRedactor.Finding, after start: Int) {
        let range = finding.range
        self.init(range: start + range.lowerBound..<start + range.upperBound, replacement: finding.replacement)
    }
}
