internal import JSON

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
    public init?(_ text: String) {
        var (high, low): (UInt64, UInt64) = (0, 0)
        var position = 0
        for byte in text.utf8 {
            switch position {
            case 8, 13, 18, 23: guard byte == UInt8(ascii: "-") else { return nil }
            case 0..<18:
                guard let digit = byte.hexValue else { return nil }
                high = high << 4 | UInt64(digit)
            case 19..<36:
                guard let digit = byte.hexValue else { return nil }
                low = low << 4 | UInt64(digit)
            default: return nil
            }
            position += 1
        }
        guard position == 36, high >> 12 & 0xF == 7, low >> 62 == 0b10 else { return nil }
        (self.high, self.low) = (high, low)
    }

    /// As `init(_:)` of a string.
    public init?(_ text: Substring) { self.init(String(text)) }

    /// The time at which the id was made, in milliseconds since 1970.
    public var milliseconds: UInt64 { high >> 16 }

    /// The bits that tell it from other processes' ids of the same time: 62 random ones behind two that are always the
    /// same.
    package var randomBits: UInt64 { low }

    /// The 12 bits that count the ids of one millisecond.
    package var counter: UInt64 { high & 0xFFF }

    /// An id out of its parts: the 48 bits of `milliseconds`, the 12 of `counter`, and `randomBits`.
    package init(milliseconds: UInt64, counter: UInt64, randomBits: UInt64) {
        self.init(high: milliseconds << 16 | 7 << 12 | counter & 0xFFF, low: 0b10 << 62 | randomBits & ~(0b11 << 62))
    }

    /// The id's 128 bits as 32 lower-case hex digits: the trace's id.
    public var hex: String {
        String(unsafeUninitializedCapacity: 32) { out in
            for index in 0..<32 { out[index] = digit(index) }
            return 32
        }
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 36) { out in
            var written = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    out[written] = UInt8(ascii: "-")
                    written += 1
                }
                out[written] = digit(index)
                written += 1
            }
            return written
        }
    }

    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    private func digit(_ index: Int) -> UInt8 {
        let word = index < 16 ? high : low
        let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (index & 15))) & 15
        return nibble < 10 ? 0x30 + nibble : 0x57 + nibble
    }
}
