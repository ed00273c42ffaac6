internal import Common
internal import JSON
internal import Policies

/// Finds in JSON what a redactor takes out: in strings, as their readers have them, and in numbers. Names of members
/// stay. A string that holds JSON is read as that.
struct ContentWalk {
    private static let deepestLevel = 4

    private let text: UnsafeBufferPointer<UInt8>
    private let redactor: ContentRedactor
    /// How many strings this text lies within.
    private let level: Int
    private var edits: [TextEdit] = []

    /// A value of JSON without what the redactor finds.
    /// - Parameter piece: the value; it has been scanned.
    static func clean(json piece: TextPiece, _ redactor: ContentRedactor) -> TextPiece {
        TextEdit.apply(edits(ofJSON: piece, redactor, level: 0), to: piece)
    }

    /// A text, JSON or not, without what the redactor finds.
    static func clean(text piece: TextPiece, _ redactor: ContentRedactor) -> TextPiece {
        TextEdit.apply(edits(of: piece, redactor, level: 0), to: piece)
    }

    private static func edits(of piece: TextPiece, _ redactor: ContentRedactor, level: Int) -> [TextEdit] {
        let first = piece.bytes[piece.range].first { $0 > 0x20 }
        let opens = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        if opens, level <= deepestLevel, JSONWalker.isValue(piece.bytes, range: piece.range) {
            return edits(ofJSON: piece, redactor, level: level)
        }
        return piece.bytes.withUnsafeBufferPointer { bytes in
            let part = UnsafeBufferPointer(rebasing: bytes[piece.range])
            return redactor.findings(in: part).map { TextEdit($0, after: piece.range.lowerBound) }
        }
    }

    private static func edits(ofJSON piece: TextPiece, _ redactor: ContentRedactor, level: Int) -> [TextEdit] {
        piece.bytes.withUnsafeBufferPointer { bytes in
            var walk = ContentWalk(text: bytes, redactor: redactor, level: level)
            walk.walk(piece.range)
            return walk.edits
        }
    }

    private init(text: UnsafeBufferPointer<UInt8>, redactor: ContentRedactor, level: Int) {
        (self.text, self.redactor, self.level) = (text, redactor, level)
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
                let number = UnsafeBufferPointer(rebasing: text[start..<place])
                guard let finding = redactor.findings(in: number).first else { continue }
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

    /// Where the quote stands that ends a string.
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
            edits += redactor.findings(in: part).map { TextEdit($0, after: inside.lowerBound) }
            return
        }
        let string = EscapedString(text, inside)
        edits += string.edits(Self.edits(of: TextPiece(string.text), redactor, level: level + 1))
    }
}

extension TextEdit {
    fileprivate init(_ finding: ContentRedactor.Finding, after start: Int) {
        let range = finding.range
        self.init(range: start + range.lowerBound..<start + range.upperBound, replacement: finding.replacement)
    }
}
