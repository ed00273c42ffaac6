/// The gateway's own binary form for what it puts on streams: fields of a tag (one byte), a length (LEB128) and that
/// many bytes.
///
/// JSON would have to be escaped and scanned twice a request; this is written and read in one pass, and bytes stay
/// bytes. A reader skips tags that it does not know, so processes of two versions can work side by side during a
/// rolling restart.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int) { bytes.reserveCapacity(capacity) }

    package mutating func field(_ tag: UInt8, _ value: some Collection<UInt8>) {
        begin(tag, of: value.count)
        bytes.append(contentsOf: value)
    }

    package mutating func field(_ tag: UInt8, _ value: String) { field(tag, value.utf8) }

    package mutating func field(_ tag: UInt8, _ value: String?) {
        if let value { field(tag, value) }
    }

    package mutating func field(_ tag: UInt8, _ value: UInt64) {
        begin(tag, of: 8)
        for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * place))) }
    }

    package mutating func field(_ tag: UInt8, _ headers: [HeaderField]) {
        for header in headers {
            begin(tag, of: header.name.utf8.count + 1 + header.value.utf8.count)
            bytes.append(contentsOf: header.name.utf8)
            bytes.append(0)
            bytes.append(contentsOf: header.value.utf8)
        }
    }

    private mutating func begin(_ tag: UInt8, of count: Int) {
        bytes.append(tag)
        varint(UInt64(count))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Reads what `WireWriter` wrote, and refuses anything else.
package struct WireReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next field, or nil at the end.
    package mutating func next() throws(WireError) -> (tag: UInt8, value: ArraySlice<UInt8>)? {
        guard position < bytes.count else { return nil }
        let tag = bytes[position]
        position += 1
        var length = 0
        var shift = 0
        repeat {
            guard position < bytes.count, shift < 35 else { throw .truncated }
            length |= Int(bytes[position] & 0x7F) << shift
            shift += 7
            position += 1
        } while bytes[position - 1] & 0x80 != 0
        guard length <= bytes.count - position else { throw .truncated }
        defer { position += length }
        return (tag, bytes[position..<position + length])
    }

    package static func string(_ value: ArraySlice<UInt8>) throws(WireError) -> String {
        guard let string = String(validating: value, as: UTF8.self) else { throw .badField }
        return string
    }

    package static func integer(_ value: ArraySlice<UInt8>) throws(WireError) -> UInt64 {
        guard value.count == 8 else { throw .badField }
        return value.reduce(0) { $0 << 8 | UInt64($1) }
    }

    package static func header(_ value: ArraySlice<UInt8>) throws(WireError) -> HeaderField {
        guard let separator = value.firstIndex(of: 0) else { throw .badField }
        return HeaderField(try string(value[..<separator]), try string(value[(separator + 1)...]))
    }
}

/// The reason why bytes from a stream are not one of ours.
package enum WireError: String, Error, Sendable {
    case truncated = "the entry ends in the middle of a field"
    case badField = "a field is not of its form"
    case missingField = "a field that must be there is missing"
}
