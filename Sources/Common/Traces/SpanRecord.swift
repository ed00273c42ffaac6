/// The span of a completion as the gateway itself keeps it: fields of a tag (one byte), a length (LEB128) and that many
/// bytes, behind one byte for the form.
///
/// Ids and start time come out of the insertion id. Texts stand as they are: only a trace store that speaks OTLP gets
/// them escaped (`appendOTLP`). A reader passes over tags that it does not know.
package struct SpanRecord: Sendable {
    /// The first byte. Spans as OTLP/JSON begin otherwise.
    package static let form: UInt8 = 1

    /// Tags of what is no attribute.
    enum Tag {
        static let id: UInt8 = 1
        static let end: UInt8 = 2
        static let name: UInt8 = 3
        static let failure: UInt8 = 4
        static let attempt: UInt8 = 5
    }

    package let bytes: [UInt8]
    package let id: InsertionID
    /// Not before the start.
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

    /// - Throws: `WireError` for what is no span of this form.
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

    /// Reads a length, and passes over what it is the length of.
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
