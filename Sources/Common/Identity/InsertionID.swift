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
    public var hex: String { text([0, 4, 8, 12, 16, 20, 24, 28], count: 32) }

    public var description: String { text([0, 4, 9, 14, 19, 24, 28, 32], count: 36) }

    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    /// Writes the digits. An id is written several times for each call.
    /// - Parameters:
    ///   - places: where each four of the 32 digits stand; a dash stands between them.
    ///   - count: bytes of the text.
    private func text(_ places: [8 of Int], count: Int) -> String {
        String(unsafeUninitializedCapacity: count) { out in
            out.initialize(repeating: UInt8(ascii: "-"))
            let out = UnsafeMutableRawBufferPointer(out)
            for part in places.indices {
                let word = part < 4 ? high : low
                let digits = Self.digits(UInt16(truncatingIfNeeded: word >> UInt64(48 - 16 * (part & 3))))
                out.storeBytes(of: digits, toByteOffset: places[part], as: UInt32.self)
            }
            return count
        }
    }

    /// Four hex digits as four bytes, in the order of memory. All are made at a time.
    private static func digits(_ bits: UInt16) -> UInt32 {
        var digits = UInt32(bits)
        digits = (digits << 8 | digits) & 0x00FF_00FF
        digits = (digits << 4 | digits) & 0x0F0F_0F0F
        // 1 in each byte that holds ten or more.
        let letters = (digits + 0x0606_0606) >> 4 & 0x0101_0101
        return (digits + 0x3030_3030 + letters * 0x27).bigEndian
    }
}
