internal import Common
internal import JSON

/// Makes JSON of what some servers write instead: `NaN` and `Infinity` as numbers (Python's `json` does so), control
/// characters within strings, text that is not UTF-8, a byte order mark.
enum JSONRepair {
    /// One value that is JSON, and what had to be changed.
    struct Result {
        var bytes: [UInt8]
        var faults: ResponseFaults
    }

    /// - Parameter range: a part that is no JSON as it is.
    /// - Returns: nil if it is none after the repair either.
    static func repair(_ bytes: [UInt8], _ range: Range<Int>) -> Result? {
        var faults: ResponseFaults = []
        var text = Array(bytes[range])
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text.removeFirst(3) }
        // What is something else altogether, such as HTML, is not gone through.
        guard let first = text.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }),
            [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(first)
        else {
            return nil
        }
        let valid = Array(String(decoding: text, as: UTF8.self).utf8)
        if valid != text { faults.insert(.repairedText) }
        text = valid
        let repaired = tokens(of: text, &faults)
        return JSONWalker.isValue(repaired) ? Result(bytes: repaired, faults: faults) : nil
    }

    private static func tokens(of text: [UInt8], _ faults: inout ResponseFaults) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count + 32)
        var inString = false
        var place = 0
        while place < text.count {
            let byte = text[place]
            if inString {
                switch byte {
                case UInt8(ascii: "\""):
                    inString = false
                    out.append(byte)
                case UInt8(ascii: "\\") where place + 1 < text.count:
                    out.append(byte)
                    place += 1
                    out.append(text[place])
                case 0..<0x20: JSONText.appendEscaped(text, place..<place + 1, to: &out)
                default: out.append(byte)
                }
                place += 1
            } else if let word = word(at: place, of: text) {
                out.append(UInt8(ascii: "\""))
                out += word
                out.append(UInt8(ascii: "\""))
                faults.insert(.repairedNumbers)
                place += word.count
            } else {
                inString = byte == UInt8(ascii: "\"")
                out.append(byte)
                place += 1
            }
        }
        return out
    }

    private static func word(at place: Int, of text: [UInt8]) -> [UInt8]? {
        switch text[place] {
        case UInt8(ascii: "N"), UInt8(ascii: "I"), UInt8(ascii: "-"): words.first { text[place...].starts(with: $0) }
        default: nil
        }
    }

    /// As the JSON of Protocol Buffers writes them, in quotes.
    private static let words = ["NaN", "-Infinity", "Infinity"].map { Array($0.utf8) }
}
