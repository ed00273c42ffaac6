/// A point in time as ISO 8601 has it, in UTC: `2026-11-22T19:25:38.123Z`.
enum ISOTime {
    /// - Parameter milliseconds: since 1970.
    static func text(_ milliseconds: UInt64) -> String {
        let (year, month, day) = date(Int(milliseconds / 86_400_000))
        let rest = Int(milliseconds % 86_400_000)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2))"
            + ":\(padded(rest / 1000 % 60, 2)).\(padded(rest % 1000, 3))Z"
    }

    /// The date of the Gregorian calendar. Counted from 1 March of year 0, each era of 400 years has the same 146,097 days, and a leap day ends its year.
    private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let count = days + 719_468
        let (era, dayOfEra) = count.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        return (era * 400 + yearOfEra + (month < 10 ? 0 : 1), month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
