/// A gzip stream (RFC 1951, RFC 1952) of zeros that never ends: each byte of it becomes 158.
enum EndlessGzip {
    /// The header, the beginning of a block with fixed codes, and its first literal, bit by bit as far as a whole byte.
    static let beginning: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + packed(firstBits)

    /// 16 KiB that go on from `beginning`, or from themselves. They become 2.6 MB.
    static let piece: [UInt8] = packed(Array(repeatElement(match, count: 8 * 1260).joined()))

    /// “258 bytes from one byte back”: length code 285 (11000101) and distance code 0 (00000), the most significant bit
    /// first.
    private static let match = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0].map(UInt8.init)

    /// Not the last block (0), fixed codes (01, the least significant bit first), the literal 0 (00110000); then
    /// matches up to a whole byte.
    private static let firstBits: [UInt8] = {
        var bits: [UInt8] = [0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0]
        while bits.count % 8 != 0 { bits += match }
        return bits
    }()

    /// Eight bits a byte, the first one lowest.
    private static func packed(_ bits: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<start + 8].reversed().reduce(0) { $0 << 1 | $1 }
        }
    }
}
