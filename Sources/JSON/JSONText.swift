/// Writes JSON strings (RFC 8259 §7) as bytes.
package enum JSONText {
    /// Appends `string` with its quotes, escaping what must be escaped and nothing else.
    package static func append(_ string: String, to out: inout [UInt8]) {
        var string = string
        out.append(UInt8(ascii: "\""))
        string.withUTF8 { appendEscaped($0, to: &out) }
        out.append(UInt8(ascii: "\""))
    }

    /// `string` as a JSON string with its quotes.
    package static func quoted(_ string: String) -> [UInt8] {
        var out: [UInt8] = []
        append(string, to: &out)
        return out
    }
}
