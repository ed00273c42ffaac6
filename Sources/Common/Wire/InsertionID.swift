/// The identity of one completion: a UUID of version 7 (RFC 9562 §5.7), so that ids sort by the time they were made.
public struct InsertionID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// 48 bits of Unix time in milliseconds, the version, and 12 further bits.
    let high: UInt64
    /// The variant and 62 further bits.
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the canonical form, in either case. Nil unless it is a UUID of version 7 and of RFC 9562's variant.
    public init?(_ text: some StringProtocol) {
        var words: [UInt64] = [0, 0]
        var digits = 0
        for (position, byte) in text.utf8.enumerated() {
            if [8, 13, 18, 23].contains(position) {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard digits < 32, let value = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            words[digits / 16] = words[digits / 16] << 4 | UInt64(value)
            digits += 1
        }
        guard digits == 32, text.utf8.count == 36, words[0] >> 12 & 0xF == 7, words[1] >> 62 == 0b10 else { return nil }
        (high, low) = (words[0], words[1])
    }

    /// When the id was made, in milliseconds since 1970.
    public var milliseconds: UInt64 { high >> 16 }

    /// The id's 128 bits as 32 lower-case hex digits: the trace's id.
    public var hex: String { String(decoding: hexDigits, as: UTF8.self) }

    public var description: String {
        let digits = hexDigits
        return String(unsafeUninitializedCapacity: 36) { out in
            var written = 0
            for (index, digit) in digits.enumerated() {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    out[written] = UInt8(ascii: "-")
                    written += 1
                }
                out[written] = digit
                written += 1
            }
            return written
        }
    }

    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    private var hexDigits: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { out, count in
            for index in 0..<32 {
                let word = index < 16 ? high : low
                let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (index & 15))) & 15
                out[index] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
            }
            count = 32
        }
    }
}
