internal import Common
internal import JSON

/// Makes JSON of what some servers write instead: `NaN` and `Infinity` as numbers (Python's `json` does so; C's
/// `printf` writes `nan`, `-nan` and `inf`), control characters within strings, text that is not UTF-8, a byte order
/// mark.
enum JSONRepair {
    /// One value that is JSON, and the changes that were needed.
    struct Result {
        var bytes: [UInt8]
        var faults: ResponseFaults
    }

    /// - Parameter range: a part that is not JSON as it is.
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
            } else if let (word, length) = word(at: place, of: text, behind: out) {
                out.append(UInt8(ascii: "\""))
                out += word.utf8
                out.append(UInt8(ascii: "\""))
                faults.insert(.repairedNumbers)
                place += length
            } else {
                inString = byte == UInt8(ascii: "\"")
                out.append(byte)
                place += 1
            }
        }
        return out
    }

    /// A number that JSON does not have, if it begins here and is all of the value.
    /// - Parameter before: the text before it: a value may follow a colon, a comma and an opening bracket only.
    /// - Returns: as the JSON of Protocol Buffers writes it, within quotes; and its length as it is.
    private static func word(
        at place: Int, of text: [UInt8], behind before: [UInt8]
    ) -> (word: String, length: Int)? {
        // Most bytes begin none.
        guard [0x69, 0x6E].contains(text[place] | 0x20) || [0x2B, 0x2D].contains(text[place]) else { return nil }
        guard let last = before.last(where: { !isSpace($0) }), [0x3A, 0x2C, 0x5B].contains(last) else { return nil }
        let isSigned = [0x2B, 0x2D].contains(text[place])
        var end = place + (isSigned ? 1 : 0)
        // No word is longer than `Infinity`.
        while end < text.count, end - place <= 9, (0x61...0x7A).contains(text[end] | 0x20) { end += 1 }
        let name = text[(place + (isSigned ? 1 : 0))..<end].map { $0 | 0x20 }
        let isNaN = name.elementsEqual("nan".utf8)
        guard isNaN || name.elementsEqual("inf".utf8) || name.elementsEqual("infinity".utf8) else { return nil }
        // A name without quotes is followed by a colon; it is not a value.
        let next = text[end...].first { !isSpace($0) }
        guard let next, [0x2C, 0x5D, 0x7D].contains(next) else { return nil }
        return (isNaN ? "NaN" : text[place] == 0x2D ? "-Infinity" : "Infinity", end - place)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}
