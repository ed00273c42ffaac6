internal import JSON

/// The span of a completion as the gateway itself keeps it: fields of a tag (one byte), a length (LEB128) and that many
/// bytes, behind one byte for the form.
///
/// Ids and start time come out of the insertion id. Texts stand as they are: only a trace store that speaks OTLP gets
/// them escaped (`appendOTLP`). A reader passes over tags that it does not know.
package struct SpanRecord: Sendable {
    /// The first byte of the form. A span as OTLP/JSON begins with another one.
    package static let form: UInt8 = 1

    /// Tags of the fields that are not attributes.
    enum Tag {
        static let id: UInt8 = 1
        static let end: UInt8 = 2
        static let name: UInt8 = 3
        static let failure: UInt8 = 4
        static let attempt: UInt8 = 5
    }

    package let bytes: [UInt8]
    package let id: InsertionID
    /// The end; never before the start.
    package let end: Timestamp
    private(set) var nameRange = 0..<0
    private var failureRange: Range<Int>?
    /// The place of each attribute's value, by its number; ``absent`` for one that is not there.
    private var ranges: [Range<Int>]
    private static let absent = -1 ..< -1
    /// The attributes that are there, in the order in which they were written.
    package private(set) var attributes: [SpanAttribute] = []
    /// The calls that were made, if there were several.
    package private(set) var attempts: [SpanAttempt] = []

    /// - Throws: `WireError` for bytes that are not a span of this form.
    package init(_ bytes: [UInt8]) throws(WireError) {
        guard bytes.first == Self.form else { throw .badField }
        self.bytes = bytes
        ranges = Array(repeating: Self.absent, count: Self.slots)
        attributes.reserveCapacity(Self.slots)
        var (id, end): (InsertionID?, UInt64) = (nil, 0)
        var position = 1
        while position < bytes.count {
            let tag = bytes[position]
            position += 1
            let range = try Self.range(in: bytes, at: &position, before: bytes.count)
            switch tag {
            case Tag.id:
                guard range.count == 16 else { throw .badField }
                id = InsertionID(high: Self.number(bytes, range.prefix(8)), low: Self.number(bytes, range.suffix(8)))
            case Tag.end:
                guard range.count == 8 else { throw .badField }
                end = Self.number(bytes, range)
            case Tag.name: nameRange = range
            case Tag.failure: failureRange = range
            case Tag.attempt: attempts.append(try SpanAttempt(wireBytes: bytes[range]))
            default:
                guard let attribute = SpanAttribute(rawValue: tag), ranges[Self.slot(attribute)] == Self.absent else {
                    continue
                }
                ranges[Self.slot(attribute)] = range
                attributes.append(attribute)
            }
        }
        guard let id else { throw .missingField }
        self.id = id
        self.end = max(Timestamp(milliseconds: end), id.time)
    }

    package var name: String { String(decoding: bytes[nameRange], as: UTF8.self) }
    package var hasFailed: Bool { failureRange != nil }
    /// The reason why the completion failed.
    package var failure: String? { failureRange.map { String(decoding: bytes[$0], as: UTF8.self) } }

    /// The place of an attribute's value; nil if it is not there.
    package func range(_ attribute: SpanAttribute) -> Range<Int>? {
        let range = ranges[Self.slot(attribute)]
        return range.lowerBound < 0 ? nil : range
    }

    /// An attribute's text; nil if it is not there or empty.
    package func text(_ attribute: SpanAttribute) -> String? {
        guard let range = range(attribute), !range.isEmpty else { return nil }
        return String(decoding: bytes[range], as: UTF8.self)
    }

    /// The texts of an attribute that is a list.
    package func texts(_ attribute: SpanAttribute) -> [Range<Int>] {
        guard let range = range(attribute) else { return [] }
        var texts: [Range<Int>] = []
        var position = range.lowerBound
        while position < range.upperBound {
            guard let text = try? Self.range(in: bytes, at: &position, before: range.upperBound) else { break }
            texts.append(text)
        }
        return texts
    }

    private static let slots = SpanAttribute.allCases.count
    private static func slot(_ attribute: SpanAttribute) -> Int {
        Int(attribute.rawValue) - Int(SpanAttribute.type.rawValue)
    }

    private static func number(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 {
        range.reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }

    /// Reads a length, and passes over the bytes that it counts.
    private static func range(
        in bytes: [UInt8], at position: inout Int, before end: Int
    ) throws(WireError) -> Range<Int> {
        var (length, shift) = (0, 0)
        while true {
            guard position < end, shift < 35 else { throw .truncated }
            let byte = bytes[position]
            position += 1
            length |= Int(byte & 0x7F) << shift
            shift += 7
            if byte & 0x80 == 0 { break }
        }
        guard length <= end - position else { throw .truncated }
        defer { position += length }
        return position..<position + length
    }
}

extension SpanRecord {
    /// The span as OTLP/JSON has it (opentelemetry-proto, `trace.v1.Span`): ids in lower-case hex, 64-bit integers as
    /// decimal strings, attributes as a list of keys and typed values. The spans of its attempts follow it, with commas
    /// between them.
    package var otlp: [UInt8] {
        var out: [UInt8] = []
        appendOTLP(to: &out)
        return out
    }

    /// Appends the span and those of its attempts as OTLP/JSON.
    package func appendOTLP(to out: inout [UInt8]) {
        out.reserveCapacity(out.count + bytes.count + 64 * attributes.count + 512)
        let hex = id.hex
        raw(#"{"traceId":""#, &out)
        raw(hex, &out)
        // The low 64 bits are never all zero: the UUID's variant is in them.
        raw(#"","spanId":""#, &out)
        raw(String(hex.suffix(16)), &out)
        raw(#"","name":"#, &out)
        quoted(nameRange, &out)
        raw(#","kind":3,"startTimeUnixNano":""#, &out)
        raw("\(id.milliseconds)000000", &out)
        raw(#"","endTimeUnixNano":""#, &out)
        raw("\(end.milliseconds)000000", &out)
        raw(#"","attributes":["#, &out)
        for (index, attribute) in attributes.enumerated() {
            raw(index == 0 ? #"{"key":""# : #",{"key":""#, &out)
            raw(attribute.key, &out)
            raw(#"","value":"#, &out)
            append(attribute, to: &out)
            raw("}", &out)
        }
        raw(#"],"status":{"code":"#, &out)
        raw(hasFailed ? "2" : "1", &out)
        if let failure {
            raw(#","message":"#, &out)
            JSONText.append(failure, to: &out)
        }
        raw("}}", &out)
        for attempt in attempts { append(attempt, to: &out) }
    }

    private func append(_ attempt: SpanAttempt, to out: inout [UInt8]) {
        let hex = id.hex
        let ids = #""traceId":"\#(hex)","spanId":"\#(attempt.spanID(of: id))","parentSpanId":"\#(hex.suffix(16))""#
        raw(",{\(ids),\"name\":\"\(attempt.name)\",\"kind\":3", &out)
        raw(",\"startTimeUnixNano\":\"\(attempt.began.milliseconds)000000\"", &out)
        raw(",\"endTimeUnixNano\":\"\(attempt.ended.milliseconds)000000\"", &out)
        raw(#","attributes":["#, &out)
        for (index, attribute) in attempt.attributes(of: id).enumerated() {
            raw(index == 0 ? #"{"key":""# : #",{"key":""#, &out)
            raw(attribute.key, &out)
            raw(#"","value":{"stringValue":"#, &out)
            JSONText.append(attribute.text, to: &out)
            raw("}}", &out)
        }
        raw(#"],"status":{"code":"#, &out)
        raw(attempt.failure == nil ? "1}}" : "2}}", &out)
    }

    /// Appends an attribute's value (OTLP's `AnyValue`).
    private func append(_ attribute: SpanAttribute, to out: inout [UInt8]) {
        guard let range = range(attribute) else { return raw("{}", &out) }
        switch attribute.kind {
        case .text:
            raw(#"{"stringValue":"#, &out)
            quoted(range, &out)
        case .integer:
            raw(#"{"intValue":""#, &out)
            out += bytes[range]
            raw("\"", &out)
        case .double:
            raw(#"{"doubleValue":"#, &out)
            out += bytes[range]
        case .texts:
            raw(#"{"arrayValue":{"values":["#, &out)
            for (index, text) in texts(attribute).enumerated() {
                raw(index == 0 ? #"{"stringValue":"# : #",{"stringValue":"#, &out)
                quoted(text, &out)
                raw("}", &out)
            }
            raw("]}", &out)
        }
        raw("}", &out)
    }

    private func quoted(_ range: Range<Int>, _ out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        JSONText.appendEscaped(bytes, range, to: &out)
        out.append(UInt8(ascii: "\""))
    }

    private func raw(_ text: String, _ out: inout [UInt8]) { out.append(contentsOf: text.utf8) }
}

/// Writes the span of a completion in the form that ``SpanRecord`` reads.
package struct SpanRecordWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    /// - Parameters:
    ///   - end: the time at which the completion ended.
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

    /// Notes that the completion failed.
    /// - Parameter message: the reason.
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
