internal import Mustache
internal import Text

/// Escapes text for HTML, byte by byte.
///
/// swift-mustache's own way goes by characters, and passes a quote that a combining mark follows: to Swift the two are
/// one character, to a browser the end of an attribute.
struct HTMLText: MustacheContentType {
    /// The name in templates. ``Templates`` puts it before each.
    static let name = "BYTES"

    func escapeText(_ text: String) -> String { Self.escaped(text) }

    static func escaped(_ text: String) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): out += "&lt;".utf8
            case UInt8(ascii: ">"): out += "&gt;".utf8
            case UInt8(ascii: "&"): out += "&amp;".utf8
            case UInt8(ascii: "\""): out += "&quot;".utf8
            case UInt8(ascii: "'"): out += "&#39;".utf8
            // HTML has no such characters; a browser would take them for others.
            case 0..<9, 11, 12, 14..<32, 127: out += "\u{FFFD}".utf8
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
