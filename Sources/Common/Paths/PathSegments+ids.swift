extension PathSegments {
    /// Reads an id: 1 to 128 characters (Unicode scalars) after decoding, no `/` and no control characters.
    ///
    /// Redis keys and trace tags are built from ids, which is safe because of these rules. `.` and `..` are not ids,
    /// since proxies take them out of a path.
    /// - Parameter name: The segment before it, for the error.
    mutating func id(_ name: String) throws(GatewayError) -> String {
        let id = try value(of: name)
        guard id.unicodeScalars.count <= 128 else {
            throw .invalidPath("\(name) is longer than 128 characters", param: name)
        }
        guard id != ".", id != ".." else { throw .invalidPath("\(name) may be neither `.` nor `..`", param: name) }
        guard !id.utf8.contains(UInt8(ascii: "/")) else {
            throw .invalidPath("\(name) may not hold a slash, encoded or not", param: name)
        }
        guard !id.unicodeScalars.contains(where: \.isControl) else {
            throw .invalidPath("\(name) may not hold control characters or line separators", param: name)
        }
        return id
    }

    /// Reads a URL in base64.
    mutating func encodedBaseURL() throws(GatewayError) -> String {
        let name = "encoded_base_url"
        guard let bytes = Base64.decode(try value(of: name).utf8), !bytes.isEmpty,
            let text = String(validating: bytes, as: UTF8.self)
        else {
            throw .invalidPath("\(name) is not the URL-safe base64 (RFC 4648 §5) of a URL in UTF-8", param: name)
        }
        return text
    }

    /// Reads a segment that must not be empty, and decodes it.
    private mutating func value(of name: String) throws(GatewayError) -> String {
        guard let segment = take(), !segment.isEmpty else {
            throw .invalidPath("\(name) is followed by no value", param: name)
        }
        guard segment.contains(UInt8(ascii: "%")) else { return String(Substring(segment)) }
        guard let bytes = PercentDecoding.bytes(segment) else {
            throw .invalidPath(
                "the value of \(name) has a % that is not followed by two hex digits; a % itself is written %25",
                param: name)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .invalidPath("the value of \(name) is not percent-encoded UTF-8", param: name)
        }
        return text
    }
}

extension Unicode.Scalar {
    /// C0, DEL and C1, and the two characters that only separate lines and paragraphs.
    var isControl: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        default: false
        }
    }
}
