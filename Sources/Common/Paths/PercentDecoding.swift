internal import JSON

/// Percent-decoding as RFC 3986 §2.1 defines it.
package enum PercentDecoding {
    /// The bytes that an encoded text stands for, decoded once: `%252F` becomes `%2F`.
    /// - Returns: Nil if a `%` is not followed by two hex digits.
    package static func bytes(_ text: Substring.UTF8View) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
