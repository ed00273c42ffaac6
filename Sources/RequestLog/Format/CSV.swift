/// CSV (RFC 4180), for spreadsheets.
enum CSV {
    /// A line of fields; nil is an empty one.
    static func line(_ fields: [String?]) -> [UInt8] {
        var out: [UInt8] = []
        for (index, text) in fields.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            appendField(text ?? "", to: &out)
        }
        out.append(contentsOf: "\r\n".utf8)
        return out
    }

    /// Appends a field, in quotes where it needs them. A text that a spreadsheet would take for a formula gets an
    /// apostrophe in front (OWASP, "CSV Injection"): the text may be a client's.
    static func appendField(_ text: String, to out: inout [UInt8]) {
        let formula: [UInt8] = Array("=+-@\t\r\n".utf8)
        let special: [UInt8] = Array(",\"\r\n".utf8)
        let isFormula = text.utf8.first.map { formula.contains($0) } ?? false
        let needsQuotes = isFormula || text.utf8.contains { special.contains($0) }
        guard needsQuotes else { return out.append(contentsOf: text.utf8) }
        out.append(UInt8(ascii: "\""))
        if isFormula { out.append(UInt8(ascii: "'")) }
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { out.append(byte) }
            out.append(byte)
        }
        out.append(UInt8(ascii: "\""))
    }
}
