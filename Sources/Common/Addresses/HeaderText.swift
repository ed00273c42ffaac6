/// Checks of texts that are to stand in an HTTP header.
package enum HeaderText {
    /// Whether a text can be a key there: visible ASCII characters without spaces, at least one.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// The most bytes of a client's text that an answer repeats in a header.
    private static let longest = 256

    /// The beginning of a text, if it is too long to be repeated.
    package static func cut(_ text: String) -> String {
        text.utf8.count <= longest ? text : String(decoding: text.utf8.prefix(longest), as: UTF8.self) + "…"
    }

    /// A text in ASCII. Other characters are written as in JSON: `\u00e9`.
    package static func escaped(_ text: String) -> String {
        var text = text
        if text.withUTF8({ $0.allSatisfy { (0x20...0x7E).contains($0) } }) { return text }
        var escaped = ""
        for unit in text.utf16 {
            if (0x20...0x7E).contains(unit), let ascii = UnicodeScalar(unit) {
                escaped.unicodeScalars.append(ascii)
            } else {
                escaped += "\\u" + String(hexadecimal: [UInt8(unit >> 8), UInt8(truncatingIfNeeded: unit)])
            }
        }
        return escaped
    }
}
