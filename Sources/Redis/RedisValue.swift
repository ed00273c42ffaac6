/// A reply of Redis (RESP2).
///
/// The accessors never trap and compose over nested replies: `reply[0][1][0]` of a reply that has another shape is
/// `.null`.
package enum RedisValue: Sendable, Hashable {
    /// No value: a missing key, an empty blocking read, an aborted transaction.
    case null
    /// A signed 64-bit integer.
    case integer(Int)
    /// A binary-safe string.
    case bytes([UInt8])
    /// A short word such as `OK`.
    case status(String)
    /// The server's refusal, code word first, such as `WRONGTYPE Operation against …`. Met inside batches and
    /// transactions: for a single command it is thrown.
    case error(String)
    /// Values in order, such as a stream's entries.
    case array([RedisValue])
}

extension RedisValue {
    /// Whether there is no value.
    package var isNull: Bool { self == .null }

    /// The text of a string or status; bytes that are not UTF-8 are repaired with U+FFFD.
    package var string: String? {
        switch self {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    /// The bytes of a string or status.
    package var bytes: [UInt8]? {
        switch self {
        case .bytes(let bytes): bytes
        case .status(let text): Array(text.utf8)
        default: nil
        }
    }

    /// An integer, or a string that is one in decimal.
    package var int: Int? {
        if case .integer(let value) = self { value } else { string.flatMap(Int.init) }
    }

    /// The elements of an array.
    package var array: [RedisValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The element at `index`; `.null` if this is not an array or has no such element.
    package subscript(index: Int) -> RedisValue {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return .null }
        return elements[index]
    }

    /// The value itself, with the server's refusal turned into an error.
    /// - Throws: ``RedisError`` with code `.server`.
    package func get() throws(RedisError) -> RedisValue {
        if case .error(let reply) = self { throw RedisError(reply: reply) }
        return self
    }
}
