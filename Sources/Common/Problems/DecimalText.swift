/// Decimal numbers as text, without exponents and signs.
enum DecimalText {
    static func parse(_ text: String) -> Double? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let areDigits = parts.allSatisfy { part in !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard areDigits, (1...2).contains(parts.count) else { return nil }
        return Double(text)
    }

    /// Without a fraction where there is none.
    static func of(_ value: Double) -> String {
        Int(exactly: value).map { String($0) } ?? String(value)
    }
}
