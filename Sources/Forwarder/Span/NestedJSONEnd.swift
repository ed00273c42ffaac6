internal import Common
internal import JSON

/// Says whether a text within a JSON string, such as a tool call's `arguments`, is a whole JSON object or array. The
/// text may grow: each byte is looked at once.
struct NestedJSONEnd: Sendable {
    private var place = 0
    private var depth = 0
    private var inString = false
    private var isEscaped = false
    private var hasClosed = false

    /// - Parameter text: the inside of a string, still escaped: what was given before, and perhaps more.
    mutating func isWhole(_ text: [UInt8]) -> Bool {
        while let character = next(of: text) {
            if inString {
                if isEscaped {
                    isEscaped = false
                } else if character == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if character == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch character {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                hasClosed = depth == 0
            default: break
            }
        }
        return hasClosed && depth == 0 && !inString
    }

    /// The next character if it is ASCII, and any byte that means nothing in its stead.
    private mutating func next(of text: [UInt8]) -> UInt8? {
        guard place < text.count else { return nil }
        guard text[place] == UInt8(ascii: "\\"), place + 1 < text.count else {
            place += 1
            return text[place - 1]
        }
        let letter = text[place + 1]
        place += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return letter
        case UInt8(ascii: "u"):
            let digits = text[place..<min(place + 4, text.count)]
            place += digits.count
            let unit = digits.reduce(0) { $0 << 4 | UInt16($1.hexValue ?? 0) }
            return unit < 0x80 ? UInt8(unit) : 0
        default: return 0
        }
    }
}
