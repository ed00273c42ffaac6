internal import Common

/// Finds secrets in a text by their form: keys of known beginnings, tokens behind `Bearer`, JSON web tokens, private
/// keys, passwords in URLs, and the keys that the call was made with. Each byte is looked at a fixed number of times.
///
/// Other text must stay as it is. So a key is a word of its own, has a known beginning, and its rest looks like
/// chance: enough of it, with digits or mixed case.
package struct SecretFinder {
    let text: UnsafeBufferPointer<UInt8>
    /// Keys that must not be seen anywhere in the text.
    let keys: [[UInt8]]
    /// Whether the text is the inside of a JSON string, which ends at a quote.
    let isEscaped: Bool
    package private(set) var found: [Range<Int>] = []
    /// Whether an escape hides a printable character of ASCII, which must be resolved before a form can be seen.
    package private(set) var hidesText = false
    package private(set) var hasEscapes = false

    private var dotted = 0..<0
    private let classes = ByteClass.table
    private let beginnings = SecretForm.beginnings

    package init(_ text: UnsafeBufferPointer<UInt8>, keys: [[UInt8]], isEscaped: Bool) {
        self.text = text
        self.keys = keys
        self.isEscaped = isEscaped
    }

    enum ByteClass: UInt8 {
        case other, word, colon, equals, backslash, quote

        static let table: [ByteClass] = (0...255).map { (byte: Int) -> ByteClass in
            switch UInt8(byte) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                .word
            case UInt8(ascii: ":"): .colon
            case UInt8(ascii: "="): .equals
            case UInt8(ascii: "\\"): .backslash
            case UInt8(ascii: "\""): .quote
            default: .other
            }
        }
    }

    /// Looks through the range, or as far as the quote that ends the string.
    /// - Returns: the place at which it stopped.
    package mutating func search(_ range: Range<Int>) -> Int {
        var place = range.lowerBound
        let end = range.upperBound
        while place < end {
            switch classes[Int(text[place])] {
            case .other: place += 1
            case .word: place = passWord(at: place, before: end)
            case .colon:
                place += 1
                if place + 1 < end, text[place] == UInt8(ascii: "/"), text[place + 1] == UInt8(ascii: "/") {
                    place += 2
                    if let secret = userInfo(at: place, before: end) { note(secret, &place) }
                }
            case .equals:
                let value = place + 1
                place = value
                if let secret = parameter(at: value, after: range.lowerBound, before: end) { note(secret, &place) }
            case .quote:
                if isEscaped { return place }
                place += 1
            case .backslash: place = passEscape(at: place, before: end)
            }
        }
        return end
    }

    private mutating func note(_ secret: Range<Int>, _ place: inout Int) {
        found.append(secret)
        place = secret.upperBound
    }

    /// Passes a word, or a secret that begins with it.
    private mutating func passWord(at start: Int, before end: Int) -> Int {
        if start + 1 < end, beginnings[Int(text[start]) << 8 | Int(text[start + 1])],
            let secret = secret(at: start, before: end)
        {
            found.append(secret)
            return secret.upperBound
        }
        for key in keys where key[0] == text[start] && starts(with: key, at: start, before: end) {
            found.append(start..<start + key.count)
            return start + key.count
        }
        var place = start + 1
        while place < end, classes[Int(text[place])] == .word { place += 1 }
        return place
    }

    /// Passes an escape. A text may hold another one's escapes as they are; behind them a word begins as well.
    private mutating func passEscape(at start: Int, before end: Int) -> Int {
        guard start + 1 < end else { return end }
        guard isEscaped else { return start + (Self.isLineEnd(text[start + 1]) ? 2 : 1) }
        hasEscapes = true
        switch text[start + 1] {
        case UInt8(ascii: "u"):
            guard start + 6 <= end, text[start + 2] == UInt8(ascii: "0"), text[start + 3] == UInt8(ascii: "0") else {
                return min(start + 6, end)
            }
            if (0x32...0x37).contains(text[start + 4]) { hidesText = true }
            return start + 6
        case UInt8(ascii: "/"): hidesText = true
        case UInt8(ascii: "\\"): if start + 2 < end, Self.isLineEnd(text[start + 2]) { return start + 3 }
        default: break
        }
        return start + 2
    }

    static func isLineEnd(_ letter: UInt8) -> Bool {
        letter == UInt8(ascii: "n") || letter == UInt8(ascii: "r") || letter == UInt8(ascii: "t")
    }

    func starts(with word: [UInt8], at place: Int, before end: Int) -> Bool {
        guard place + word.count <= end else { return false }
        for (offset, byte) in word.enumerated() where text[place + offset] != byte { return false }
        return true
    }

    /// The end of the run of bytes that the condition holds for.
    func runEnd(from start: Int, before end: Int, _ isPart: (UInt8) -> Bool) -> Int {
        var place = start
        while place < end, isPart(text[place]) { place += 1 }
        return place
    }

    /// The end of the run of words with dots between them. It is gone over once, however many of its words are asked
    /// about.
    mutating func dottedEnd(from start: Int, before end: Int) -> Int {
        if start < dotted.upperBound, start >= dotted.lowerBound { return dotted.upperBound }
        let stop = runEnd(from: start, before: end) { isWord($0) || $0 == UInt8(ascii: ".") }
        dotted = start..<stop
        return stop
    }

    func isWord(_ byte: UInt8) -> Bool { classes[Int(byte)] == .word }
}
