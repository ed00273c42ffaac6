/// Joins the lines of a stream of server-sent events, which may be cut anywhere. A line within one piece is not copied.
///
/// Lines end with LF, CR LF or CR (HTML standard §9.2.5).
struct EventLines: Sendable {
    /// The beginning of a line whose end has not come.
    private var begun: [UInt8] = []
    private var isTooLong = false
    private var endedWithCR = false

    /// - Parameter visit: is given each line that ends, without its end, as a place in the bytes it lies in.
    /// - Returns: false if a line was longer than `SpanLimits.line` and was passed over.
    @discardableResult
    mutating func take(_ piece: [UInt8], _ visit: ([UInt8], Range<Int>) -> Void) -> Bool {
        var start = 0
        if endedWithCR, piece.first == UInt8(ascii: "\n") { start = 1 }
        if !piece.isEmpty { endedWithCR = false }
        var isWhole = true
        while let end = Self.lineEnd(in: piece, from: start) {
            if begun.isEmpty && !isTooLong {
                visit(piece, start..<end)
            } else {
                append(piece[start..<end])
                if isTooLong { isWhole = false } else { visit(begun, 0..<begun.count) }
                begun.removeAll(keepingCapacity: begun.capacity <= 16 << 10)
                isTooLong = false
            }
            start = end + 1
            guard piece[end] == UInt8(ascii: "\r") else { continue }
            if start == piece.count { endedWithCR = true }
            if start < piece.count, piece[start] == UInt8(ascii: "\n") { start += 1 }
        }
        append(piece[start...])
        return isWhole
    }

    private mutating func append(_ part: ArraySlice<UInt8>) {
        guard !isTooLong, begun.count + part.count <= SpanLimits.line else {
            isTooLong = true
            begun = []
            return
        }
        begun += part
    }

    private static func lineEnd(in piece: [UInt8], from start: Int) -> Int? {
        var place = start
        while place < piece.count {
            if piece[place] == UInt8(ascii: "\n") || piece[place] == UInt8(ascii: "\r") { return place }
            place += 1
        }
        return nil
    }
}
