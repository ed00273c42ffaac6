/// Counts of bytes as text: `4096`, `64KiB`, `16MiB`, `1GiB`.
enum ByteCount {
    private static let units: [(suffix: String, shift: Int)] = [("GiB", 30), ("MiB", 20), ("KiB", 10)]

    /// Nil if the text is neither a whole number nor one with a unit, or too large for an `Int`.
    static func parse(_ text: String) -> Int? {
        guard let unit = units.first(where: { text.lowercased().hasSuffix($0.suffix.lowercased()) }) else {
            return Int(text)
        }
        guard let count = Int(text.dropLast(unit.suffix.count)) else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << unit.shift)
        return overflow ? nil : bytes
    }

    /// With the largest unit that leaves a whole number.
    static func text(_ bytes: Int) -> String {
        guard bytes != 0, let unit = units.first(where: { bytes % (1 << $0.shift) == 0 }) else { return String(bytes) }
        return "\(bytes >> unit.shift)\(unit.suffix)"
    }
}
