/// Writes protobuf's wire format for tests, each field by its number.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    static func message(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        body(&writer)
        return writer.bytes
    }

    mutating func varint(_ field: Int, _ value: UInt64) {
        number(UInt64(field) << 3)
        number(value)
    }

    mutating func fixed64(_ field: Int, _ value: UInt64) {
        number(UInt64(field) << 3 | 1)
        bytes += (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    mutating func fixed32(_ field: Int, _ value: UInt32) {
        number(UInt64(field) << 3 | 5)
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    mutating func field(_ field: Int, _ content: [UInt8]) {
        number(UInt64(field) << 3 | 2)
        number(UInt64(content.count))
        bytes += content
    }

    mutating func text(_ field: Int, _ text: String) { self.field(field, Array(text.utf8)) }

    mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        self.field(field, Self.message(body))
    }

    /// A key-value pair with a string.
    mutating func attribute(_ field: Int, key: String, value: String) {
        attribute(field, key: key) { $0.text(1, value) }
    }

    mutating func attribute(_ field: Int, key: String, value: (inout ProtobufWriter) -> Void) {
        message(field) { pair in
            pair.text(1, key)
            pair.message(2, value)
        }
    }

    private mutating func number(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
