/// Writes JSON strings (RFC 8259 §7) as bytes.
package enum JSONText {
    /// Appends `string` with its quotes, escaping what must be escaped and nothing else.
    package static func append(_ string: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x0A: out.append(contentsOf: "\\n".utf8)
            case 0x0D: out.append(contentsOf: "\\r".utf8)
            case 0x09: out.append(contentsOf: "\\t".utf8)
            case 0..<0x20: out.append(contentsOf: "\\u00".utf8 + [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]])
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }

    /// `string` as a JSON string with its quotes.
    package static func quoted(_ string: String) -> [UInt8] {
        var out: [UInt8] = []
        append(string, to: &out)
        return out
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)
}
