internal import Common
internal import JSON

/// The inside of a JSON string, resolved: its text, and the way back from a place in the text to the place in the
/// string. Half of a surrogate pair stands for U+FFFD.
struct EscapedString {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let range: Range<Int>
    let text: [UInt8]

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        self.bytes = bytes
        self.range = range
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var place = range.lowerBound
        while place < range.upperBound {
            if bytes[place] != UInt8(ascii: "\\") {
                text.append(bytes[place])
                place += 1
            } else {
                let (scalar, count) = Self.escape(in: bytes, at: place, before: range.upperBound)
                if scalar.isASCII {
                    text.append(UInt8(scalar.value))
                } else {
                    text += UTF8.encode(scalar).map(Array.init) ?? []
                }
                place += count
            }
        }
        self.text = text
    }

    /// Edits of the text as edits of the string.
    func edits(_ edits: [TextEdit]) -> [TextEdit] {
        var result: [TextEdit] = []
        var (raw, plain) = (range.lowerBound, 0)
        for edit in edits {
            advance(&raw, &plain, to: edit.range.lowerBound)
            let start = raw
            advance(&raw, &plain, to: edit.range.upperBound)
            var replacement: [UInt8] = []
            JSONText.appendEscaped(edit.replacement, edit.replacement.indices, to: &replacement)
            result.append(TextEdit(range: start..<raw, replacement: replacement))
        }
        return result
    }

    private func advance(_ raw: inout Int, _ plain: inout Int, to place: Int) {
        while plain < place, raw < range.upperBound {
            if bytes[raw] != UInt8(ascii: "\\") {
                raw += 1
                plain += 1
            } else {
                let (scalar, count) = Self.escape(in: bytes, at: raw, before: range.upperBound)
                raw += count
                plain += UTF8.width(scalar)
            }
        }
    }

    private static func escape(
        in bytes: UnsafeBufferPointer<UInt8>, at place: Int, before end: Int
    ) -> (scalar: Unicode.Scalar, count: Int) {
        guard place + 1 < end else { return ("\\", end - place) }
        switch bytes[place + 1] {
        case UInt8(ascii: "n"): return ("\n", 2)
        case UInt8(ascii: "r"): return ("\r", 2)
        case UInt8(ascii: "t"): return ("\t", 2)
        case UInt8(ascii: "b"): return ("\u{8}", 2)
        case UInt8(ascii: "f"): return ("\u{C}", 2)
        case UInt8(ascii: "u"): break
        case let letter where letter < 0x80: return (Unicode.Scalar(letter), 2)
        default: return ("\\", 1)
        }
        guard let unit = unit(in: bytes, at: place, before: end) else { return ("\\", 1) }
        guard UTF16.isLeadSurrogate(unit) else { return (Unicode.Scalar(unit) ?? "\u{FFFD}", 6) }
        guard let second = self.unit(in: bytes, at: place + 6, before: end), UTF16.isTrailSurrogate(second) else {
            return ("\u{FFFD}", 6)
        }
        return (Unicode.Scalar(0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(second & 0x3FF))) ?? "\u{FFFD}", 12)
    }

    private static func unit(in bytes: UnsafeBufferPointer<UInt8>, at place: Int, before end: Int) -> UInt16? {
        guard place + 6 <= end, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt16 = 0
        for digit in bytes[place + 2..<place + 6] {
            guard let value = digit.hexValue else { return nil }
            unit = unit << 4 | UInt16(value)
        }
        return unit
    }
}
