/// A part of a text that lies within other bytes, so that it need not be copied before it is written.
struct ByteSlice: Sendable {
    let bytes: [UInt8]
    let range: Range<Int>

    init(_ bytes: [UInt8], _ range: Range<Int>? = nil) {
        self.bytes = bytes
        self.range = range ?? 0..<bytes.count
    }

    init(_ text: String) { self.init(Array(text.utf8)) }

    /// The pieces one behind the other. A single one is not copied.
    static func joined(_ pieces: [ByteSlice]) -> ByteSlice {
        if pieces.count == 1 { return pieces[0] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { bytes += piece.bytes[piece.range] }
        return ByteSlice(bytes)
    }

    var count: Int { range.count }
    /// The piece as a text, repaired where it is not UTF-8.
    var text: String { String(decoding: bytes[range], as: UTF8.self) }

    /// At most `limit` bytes of the text, without a cut through a character.
    func prefix(_ limit: Int) -> ByteSlice {
        guard count > limit else { return self }
        var end = range.lowerBound + max(limit, 0)
        while end > range.lowerBound, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return ByteSlice(bytes, range.lowerBound..<end)
    }
}
