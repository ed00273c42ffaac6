internal import Common

/// Searches a text for places of one form. A form is looked for only where it may begin. Its parts are bounded or
/// looked at once, so that the time grows with the text's length alone.
struct FormScan {
    let text: UnsafeBufferPointer<UInt8>

    init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

    /// The byte at a place; 0 outside of the text.
    subscript(_ place: Int) -> UInt8 { place >= 0 && place < text.count ? text[place] : 0 }

    /// The places of a form that begins with one of some bytes.
    /// - Parameter end: the end of the form that begins at a place; nil if none does.
    func ranges(where mayBegin: (UInt8) -> Bool, end: (Int) -> Int?) -> [Range<Int>] {
        var (found, place): ([Range<Int>], Int) = ([], 0)
        while place < text.count {
            if mayBegin(text[place]), let end = end(place) {
                found.append(place..<end)
                place = end
            } else {
                place += 1
            }
        }
        return found
    }

    func ranges(from first: StaticString, end: (Int) -> Int?) -> [Range<Int>] {
        let first = first.withUTF8Buffer { Array($0) }
        return ranges(where: { first.contains($0) }, end: end)
    }

    /// The end of the run of bytes that the condition holds for.
    func runEnd(from start: Int, where holds: (UInt8) -> Bool) -> Int {
        var place = start
        while place < text.count, holds(text[place]) { place += 1 }
        return place
    }

    /// Whether a word stands at a place.
    func has(_ word: StaticString, at place: Int, ignoringCase: Bool = false) -> Bool {
        word.withUTF8Buffer { word in
            guard place >= 0, place + word.count <= text.count else { return false }
            return zip(word, text[place...]).allSatisfy { $0 == (ignoringCase ? $1.asciiLowercased : $1) }
        }
    }

    /// Whether no letter, digit or `_` stands right before a place.
    func beginsWord(at place: Int) -> Bool { !Self.isWord(self[place - 1]) }

    /// Whether a number begins with the digit at a place: no digit stands before it, and it is not a fraction.
    func beginsNumber(at place: Int) -> Bool {
        let before = self[place - 1]
        return !Self.isDigit(before) && !(before == UInt8(ascii: ".") && Self.isDigit(self[place - 2]))
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    static func isLower(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
    static func isUpper(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }
    static func isLetter(_ byte: UInt8) -> Bool { isLower(byte | 0x20) }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }
    static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == UInt8(ascii: "_") }
    static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }
}
