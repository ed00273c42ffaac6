internal import Common

/// Joins the lines of a stream of server-sent events, which may be cut anywhere. A line within one piece is not copied.
struct EventLines: Sendable {
    private var splitter = EventLineSplitter()
    /// The beginning of a line whose end has not come.
    private var begun: [UInt8] = []
    private var isTooLong = false

    /// - Parameter visit: is given each line that ends, without its end, as a place in the bytes it lies in.
    /// - Returns: false if a line was longer than `SpanLimits.line` and was passed over.
    @discardableResult
    mutating func take(_ piece: [UInt8], _ visit: ([UInt8], Range<Int>) -> Void) -> Bool {
        var isWhole = true
        var start = splitter.begin(piece)
        while let line = splitter.nextLine(in: piece, from: start) {
            start = line.end
            if begun.isEmpty && !isTooLong {
                visit(piece, line.text)
                continue
            }
            append(piece[line.text])
            if isTooLong { isWhole = false } else { visit(begun, 0..<begun.count) }
            begun.removeAll(keepingCapacity: begun.capacity <= 16 << 10)
            isTooLong = false
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
}
