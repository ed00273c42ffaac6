internal import Common

/// Lengths of time as queries write them: `30s`, `15m`, `24h`, `7d`.
package enum DurationText {
    private static let units: [(suffix: UInt8, milliseconds: UInt64)] = [
        (UInt8(ascii: "s"), 1000), (UInt8(ascii: "m"), 60_000), (UInt8(ascii: "h"), 3_600_000),
        (UInt8(ascii: "d"), 86_400_000),
    ]
    /// A hundred years.
    private static let most: UInt64 = 36_525 * 86_400_000

    /// Milliseconds; nil if it is not such a text, or more than a hundred years.
    package static func milliseconds(_ text: String) -> UInt64? {
        let digits = text.utf8.dropLast()
        guard let unit = units.first(where: { $0.suffix == text.utf8.last }),
            !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return overflow || milliseconds > most ? nil : milliseconds
    }
}
