/// Writes the span of a completion in the form that ``SpanRecord`` reads.
package struct SpanRecordWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    /// - Parameters:
    ///   - end: when the completion ended.
    ///   - capacity: bytes that the span will have, as far as can be told.
    package init(_ id: InsertionID, name: String, end: Timestamp, capacity: Int) {
        bytes.reserveCapacity(capacity)
        bytes.append(SpanRecord.form)
        begin(SpanRecord.Tag.id, count: 16)
        append(id.high)
        append(id.low)
        begin(SpanRecord.Tag.end, count: 8)
        append(end.milliseconds)
        field(SpanRecord.Tag.name, name)
    }

    /// The completion failed.
    /// - Parameter message: why.
    package mutating func fail(_ message: String) { field(SpanRecord.Tag.failure, message) }

    /// Notes one of several calls.
    package mutating func add(_ attempt: SpanAttempt) {
        let bytes = attempt.wireBytes
        begin(SpanRecord.Tag.attempt, count: bytes.count)
        append(bytes, bytes.indices)
    }

    package mutating func text(_ attribute: SpanAttribute, _ text: String) { field(attribute.rawValue, text) }

    package mutating func texts(_ attribute: SpanAttribute, _ texts: [String]) {
        var count = 0
        for text in texts { count += Self.size(of: text.utf8.count) + text.utf8.count }
        begin(attribute.rawValue, count: count)
        for text in texts {
            length(text.utf8.count)
            append(text)
        }
    }

    /// Begins a text whose parts are appended then.
    /// - Parameter count: bytes of all of them.
    package mutating func begin(_ attribute: SpanAttribute, count: Int) { begin(attribute.rawValue, count: count) }

    /// Appends a part of the text that was begun.
    package mutating func append(_ part: [UInt8], _ range: Range<Int>) { bytes.append(contentsOf: part[range]) }

    private mutating func field(_ tag: UInt8, _ text: String) {
        begin(tag, count: text.utf8.count)
        append(text)
    }

    private mutating func begin(_ tag: UInt8, count: Int) {
        bytes.append(tag)
        length(count)
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func append(_ number: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// LEB128, as ``WireWriter`` has it.
    private mutating func length(_ count: Int) {
        var rest = count
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func size(of count: Int) -> Int {
        var (rest, size) = (count, 1)
        while rest >= 0x80 { (rest, size) = (rest >> 7, size + 1) }
        return size
    }
}
