extension InsertionID {
    /// The most milliseconds that an id has room for.
    private static let lastMillisecond: UInt64 = 1 << 48 - 1

    /// The two halves of its 128 bits.
    package var halves: (high: UInt64, low: UInt64) { (high, low) }

    /// The id's 128 bits as 16 bytes, whose order is that of the ids.
    package var bytes: [UInt8] { Self.bytes(high) + Self.bytes(low) }

    /// The 8 bytes of one half.
    package static func bytes(_ half: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) }
    }

    /// Nil unless it is a UUID of version 7 and of RFC 9562's variant.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        let whole = bytes.reduce(into: (high: UInt64(0), low: UInt64(0))) { whole, byte in
            whole = (whole.high << 8 | whole.low >> 56, whole.low << 8 | UInt64(byte))
        }
        self.init(high: whole.high, low: whole.low)
        guard high >> 12 & 0xF == 7, low >> 62 == 0b10 else { return nil }
    }

    /// The time at which the id was made.
    package var time: Timestamp { Timestamp(milliseconds: milliseconds) }

    /// The lowest id of a time.
    package static func first(of time: Timestamp) -> InsertionID {
        InsertionID(milliseconds: min(time.milliseconds, lastMillisecond), counter: 0, randomBits: 0)
    }
}
