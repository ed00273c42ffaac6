/// The characters of RFC 9110 and RFC 3986 that keep one part of a request from becoming another.
package enum HTTPSyntax {
    /// Whether the bytes are a token (RFC 9110 §5.6.2): a method or the name of a field.
    @inlinable package static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isTokenByte)
    }

    /// Whether a field's value may hold the byte: anything but control characters, tab excepted (RFC 9110 §5.5).
    @inlinable package static func isFieldByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

    /// Whether the byte is a visible ASCII character.
    @inlinable package static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }

    /// Whether a token may hold the byte: letters, digits and ``!#$%&'*+-.^_`|~``.
    @inlinable package static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x5E...0x7A, 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x7C, 0x7E: true
        default: false
        }
    }

    /// Whether a client asks for server-sent events.
    /// - Parameter accept: its `Accept`; nil: it sent none.
    package static func acceptsEvents(_ accept: String?) -> Bool {
        accept?.lowercased().utf8.firstRange(of: "text/event-stream".utf8) != nil
    }
}
