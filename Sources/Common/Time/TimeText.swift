/// Times as ISO 8601 writes them (RFC 3339 §5.6), to the millisecond, in UTC.
package enum TimeText {
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// - Parameter milliseconds: since 1970.
    /// - Returns: such as `2026-11-22T19:26:39.120Z`.
    package static func iso(_ milliseconds: Int64) -> String {
        let day = (milliseconds - (milliseconds %% millisecondsPerDay)) / millisecondsPerDay
        let rest = milliseconds %% millisecondsPerDay
        let (year, month, date) = civil(day)
        let clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { digits($0, 2) }.joined(
            separator: ":")
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(date, 2))T\(clock).\(digits(rest % 1000, 3))Z"
    }

    /// The day number of a date, 0 being 1970-01-01. Algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms", days_from_civil.
    package static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year - (year %% 400)) / 400
        let yearOfEra = year %% 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// As above, civil_from_days.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let dayOfEra = shifted %% 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = yearOfEra + (shifted - dayOfEra) / 146_097 * 400
        return (month < 10 ? year : year + 1, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(count - text.utf8.count, 0)) + text
    }
}

infix operator %% : MultiplicationPrecedence

/// The remainder that is never negative.
private func %% (left: Int64, right: Int64) -> Int64 {
    let rest = left % right
    return rest < 0 ? rest + right : rest
}
