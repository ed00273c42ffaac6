/// Reads the fields of one protobuf message from its wire format (https://protobuf.dev/programming-guides/encoding/),
/// bounds checked at every step.
///
/// The store needs eight small messages of OTLP, read only. A reader of their wire format is shorter than a runtime and
/// code made for the schema.
struct ProtobufReader {
    /// The value of a field. Groups, which proto3 does not have, are an error.
    enum Value: Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// The range of a string, of bytes or of a message.
        case bytes(Range<Int>)
    }

    let bytes: [UInt8]
    private var index: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>? = nil) {
        self.bytes = bytes
        index = range?.lowerBound ?? 0
        end = range?.upperBound ?? bytes.count
    }

    /// The next field; nil at the end of the message.
    mutating func next() throws(OTLPError) -> (field: Int, value: Value)? {
        guard index < end else { return nil }
        let tag = try varint()
        let field = Int(truncatingIfNeeded: tag >> 3)
        guard field > 0, tag >> 3 < 1 << 29 else { throw malformed("a field number is out of range") }
        switch tag & 7 {
        case 0: return (field, .varint(try varint()))
        case 1: return (field, .fixed64(try fixed(8)))
        case 2: return (field, .bytes(try lengthDelimited()))
        case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw malformed("wire type \(tag & 7) is unknown")
        }
    }

    /// A string. Throws if it is not UTF-8, as proto3 demands.
    func text(_ range: Range<Int>) throws(OTLPError) -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw OTLPError("malformed protobuf at byte \(range.lowerBound): a string is not UTF-8")
        }
        return text
    }

    /// Bytes as lower-case hex digits.
    func hex(_ range: Range<Int>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes[range].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private mutating func varint() throws(OTLPError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard index < end else { throw malformed("it ends within a number") }
            let byte = bytes[index]
            index += 1
            // The tenth byte has one bit left.
            guard shift < 63 || byte <= 1 else { throw malformed("a number passes 64 bits") }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw malformed("a number passes 64 bits")
    }

    private mutating func fixed(_ count: Int) throws(OTLPError) -> UInt64 {
        guard end - index >= count else { throw malformed("it ends within a number") }
        defer { index += count }
        return bytes[index..<index + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func lengthDelimited() throws(OTLPError) -> Range<Int> {
        let length = try varint()
        guard length <= UInt64(end - index) else { throw malformed("a field is longer than its message") }
        let range = index..<index + Int(length)
        index = range.upperBound
        return range
    }

    private func malformed(_ reason: String) -> OTLPError {
        OTLPError("malformed protobuf at byte \(index): \(reason)")
    }
}
