internal import JSON

extension InsertionID {
    /// Reads a trace's id: 32 hex digits, of either case. Nil unless they are a UUID of version 7 and of RFC 9562's
    /// variant.
    package init?(hex: some Collection<UInt8>) {
        guard hex.count == 32 else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for (position, byte) in hex.enumerated() {
            guard let digit = byte.hexValue else { return nil }
            if position < 16 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
        }
        guard high >> 12 & 0xF == 7, low >> 62 == 0b10 else { return nil }
        self.init(high: high, low: low)
    }
}
