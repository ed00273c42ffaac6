/// The open objects and arrays, the outermost first: a bit each, so that a usual text needs no memory for them.
struct JSONNesting {
    private(set) var count = 0
    /// The innermost of them, up to 64; the last bit is the innermost.
    private var bits: UInt64 = 0
    /// Those around these, 64 each.
    private var outer: [UInt64] = []

    /// Whether the innermost is an object.
    var isInObject: Bool { bits & 1 == 1 }

    mutating func open(isObject: Bool) {
        if count > 0, count % 64 == 0 {
            outer.append(bits)
            bits = 0
        }
        bits = bits << 1 | (isObject ? 1 : 0)
        count += 1
    }

    mutating func close() {
        bits >>= 1
        count -= 1
        if count > 0, count % 64 == 0 { bits = outer.removeLast() }
    }
}
