extension HTTPSyntax {
    // Each call looks at all its headers. The generic functions of another target are not specialised for it: they cost
    // a tenth of a call.

    /// Whether the bytes are a token.
    static func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes where !isTokenByte(byte) { return false }
        return !bytes.isEmpty
    }

    static func isToken(_ text: String) -> Bool {
        for byte in text.utf8 where !isTokenByte(byte) { return false }
        return !text.isEmpty
    }

    /// Whether the bytes may be a field's value.
    static func isFieldValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes where !isFieldByte(byte) { return false }
        return true
    }

    static func isFieldValue(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isFieldValue(UnsafeRawBufferPointer($0)) }
    }
}
