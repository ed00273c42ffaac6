import TestSupport

/// Makes JSON objects with whatever the grammar allows, and breaks them.
struct JSONDocumentGenerator {
    var random: SeededRandom

    private static let names = [
        "model", "stream", "metadata", "tags", "mod\\u0065l", "a", "", "é", "e\u{301}", "\\u00e9", "\\ud83d\\ude00",
        "😀", "x\\n", "api_key",
    ]
    private static let pieces = [
        "a", "plain text, long enough for a step of eight", " ", "\\\"", "\\\\", "\\/", "\\b\\f\\n\\r\\t", "\\u0000",
        "\\u00E9", "\\ud83d\\ude00",
        "\\ud800", "\\udfff", "é", "漢", "😀", "\u{7F}", "\u{2028}", "{", "}", "[", ",", ":", "\\\\u0041",
    ]
    private static let numbers = [
        "0", "-0", "7", "-12", "1.5", "-0.25", "1e5", "2E-3", "1.0e+2", "1234567890123456789", "0.1", "1e400",
    ]
    private static let tokens = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "0", "-", ".", "e", "true", "null", "fals", " ", "\n", "\u{C}",
        "//",
    ]
    private static let bytes: [UInt8] = [
        0x00, 0x1F, 0x20, 0x22, 0x2C, 0x5C, 0x7B, 0x7D, 0x7F, 0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xED, 0xA0, 0xEF, 0xF0,
        0xF4, 0xFF,
    ]

    mutating func document() -> [UInt8] {
        Array((space() + object(depth: 0) + space()).utf8)
    }

    /// The same with up to two faults, which may leave it valid.
    mutating func mutated(_ document: [UInt8]) -> [UInt8] {
        var text = document
        for _ in 0..<random.below(3) where !text.isEmpty {
            let place = random.below(text.count)
            let end = min(text.count, place + 1 + random.below(8))
            switch random.below(7) {
            case 0: text[place] = random.pick(Self.bytes)
            case 1: text[place] ^= 1 << UInt8(random.below(8))
            case 2: text.insert(contentsOf: Self.tokens[random.below(Self.tokens.count)].utf8, at: place)
            case 3: text.removeSubrange(place..<end)
            case 4: text.insert(contentsOf: Array(text[place..<end]), at: random.below(text.count))
            case 5: text.swapAt(place, random.below(text.count))
            default: text.removeSubrange(place...)
            }
        }
        return text
    }

    private mutating func object(depth: Int) -> String {
        let members = (0..<random.below(6)).map { index in
            // Numbered for the most part, so that most objects have no name twice.
            let name = random.pick(Self.names) + (random.chance(oneIn: 8) ? "" : "\(index)")
            return space() + "\"\(name)\"" + space() + ":" + space() + value(depth: depth) + space()
        }
        return "{" + (members.isEmpty ? space() : members.joined(separator: ",")) + "}"
    }

    private mutating func value(depth: Int) -> String {
        switch random.below(depth < 4 ? 9 : 6) {
        case 0, 1, 2: string()
        case 3: random.pick(Self.numbers)
        case 4: random.pick(["true", "false"])
        case 5: "null"
        case 6: object(depth: depth + 1)
        default:
            "[" + (0..<random.below(4)).map { _ in space() + value(depth: depth + 1) + space() }.joined(separator: ",")
                + "]"
        }
    }

    private mutating func string() -> String {
        "\"" + (0..<random.below(5)).map { _ in random.pick(Self.pieces) }.joined() + "\""
    }

    private mutating func space() -> String {
        random.chance(oneIn: 4) ? random.pick([" ", "\n", "\t ", "\r\n"]) : ""
    }
}
