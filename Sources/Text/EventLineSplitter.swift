/// Finds the lines of a stream of server-sent events, in bytes that may be cut anywhere (HTML Living Standard §9.2.5).
///
/// A line ends with LF, CR LF or CR. A CR LF is one line end, even where its two bytes come in two pieces. A line
/// without a byte is blank, and ends an event. The lines are the same however the bytes are cut.
///
/// Each piece is begun, and then read line by line to its end:
///
///     var start = splitter.begin(piece)
///     while let line = splitter.nextLine(in: piece, from: start) {
///         // piece[line.text] is the line, or what was missing of it.
///         start = line.end
///     }
///     // piece[start...] is the part of a line that goes on in the next piece.
package struct EventLineSplitter: Sendable {
    /// A line that ends in a piece.
    package struct Line {
        /// The part of the line that lies in the piece, without the line end.
        package let text: Range<Int>
        /// The place behind the line end. The LF of a CR LF may follow in the next piece.
        package let end: Int
        /// Whether no byte stands in the line, in the pieces before either.
        package let isBlank: Bool

        @inlinable init(text: Range<Int>, end: Int, isBlank: Bool) {
            (self.text, self.end, self.isBlank) = (text, end, isBlank)
        }
    }

    /// Whether bytes of a line have come, and not its end.
    @usableFromInline package private(set) var isInsideLine = false
    /// Whether the last piece ended with a CR, so that an LF that comes next belongs to it.
    @usableFromInline var endedWithCR = false

    @inlinable package init() {}

    /// - Returns: the place where the piece's first line begins or goes on. It is 1 if an LF comes first whose CR ended
    ///   the piece before, else 0.
    @inlinable package mutating func begin(_ piece: [UInt8]) -> Int {
        guard endedWithCR, let first = piece.first else { return 0 }
        endedWithCR = false
        return first == Self.lineFeed ? 1 : 0
    }

    /// - Parameter start: the result of `begin`, or the end of the line before.
    /// - Returns: the line that ends next; nil if no further one ends in the piece.
    @inlinable package mutating func nextLine(in piece: [UInt8], from start: Int) -> Line? {
        guard let end = Self.lineEnd(in: piece, from: start) else {
            if start < piece.count { isInsideLine = true }
            return nil
        }
        defer { isInsideLine = false }
        var next = end + 1
        if piece[end] == Self.carriageReturn {
            if next == piece.count {
                endedWithCR = true
            } else if piece[next] == Self.lineFeed {
                next += 1
            }
        }
        return Line(text: start..<end, end: next, isBlank: start == end && !isInsideLine)
    }

    @usableFromInline static let lineFeed = UInt8(ascii: "\n")
    @usableFromInline static let carriageReturn = UInt8(ascii: "\r")

    /// Whether the byte ends a line, or is a part of a line end.
    @inlinable package static func endsLine(_ byte: UInt8) -> Bool { byte == lineFeed || byte == carriageReturn }

    /// Looks at eight bytes at a time, since most bytes of a stream are not line ends.
    /// - Returns: the place of the first byte of a line end; nil if there is none.
    @inlinable package static func lineEnd(in bytes: [UInt8], from start: Int) -> Int? {
        let text = bytes.span.bytes
        var place = start
        while place + 8 <= bytes.count {
            let word = UInt64(littleEndian: text.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
            let ends = lineEnds(in: word)
            guard ends == 0 else { return place + ends.trailingZeroBitCount / 8 }
            place += 8
        }
        while place < bytes.count {
            if endsLine(bytes[place]) { return place }
            place += 1
        }
        return nil
    }

    /// The high bit of each byte that is an LF or a CR. Only the lowest set bit is exact: a borrow can mark bytes above
    /// it.
    @inlinable static func lineEnds(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let feeds = word ^ (ones &* 0x0A)
        let returns = word ^ (ones &* 0x0D)
        return ((feeds &- ones) & ~feeds | (returns &- ones) & ~returns) & (ones &* 0x80)
    }
}
