extension TimeText {
    /// Reads a time of ISO 8601: a date, perhaps `T` (or a space) and a time of day, perhaps with a fraction, perhaps
    /// with an offset. Without an offset it is UTC.
    /// - Returns: milliseconds since 1970, the rest cut off; nil if it is not such a time.
    package static func milliseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, digits: 4), skip("-", &rest), let month = number(&rest, digits: 2),
            skip("-", &rest),
            let date = number(&rest, digits: 2), (1...12).contains(month),
            (1...length(ofMonth: month, year: year)).contains(date)
        else { return nil }
        var time = day(year: year, month: month, day: date) * 86_400_000
        if rest.isEmpty { return time }
        guard skip("T", &rest) || skip("t", &rest) || skip(" ", &rest), let clock = timeOfDay(&rest) else { return nil }
        time += clock
        guard let offset = offset(&rest), rest.isEmpty else { return nil }
        return time - offset
    }

    private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Reads `hh:mm[:ss[.fraction]]`, in milliseconds.
    static func timeOfDay(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        guard let hour = number(&rest, digits: 2), skip(":", &rest), let minute = number(&rest, digits: 2), hour < 24,
            minute < 60
        else { return nil }
        var time = hour * 3_600_000 + minute * 60_000
        guard skip(":", &rest) else { return time }
        guard let second = number(&rest, digits: 2), second <= 60 else { return nil }
        time += second * 1000
        guard skip(".", &rest) else { return time }
        let fraction = rest.prefix { (0x30...0x39).contains($0) }
        guard !fraction.isEmpty else { return nil }
        rest = rest.dropFirst(fraction.count)
        var milliseconds: Int64 = 0
        for place in 0..<3 {
            milliseconds =
                milliseconds * 10 + (place < fraction.count ? Int64(fraction[fraction.startIndex + place] - 0x30) : 0)
        }
        return time + milliseconds
    }

    /// Reads `Z`, `±hh:mm`, `±hhmm` or nothing, in milliseconds.
    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if rest.isEmpty || skip("Z", &rest) || skip("z", &rest) { return 0 }
        // A `+` that was not percent-encoded in a query arrives as a space.
        let isBehind = skip("-", &rest)
        guard isBehind || skip("+", &rest) || skip(" ", &rest), let hour = number(&rest, digits: 2) else { return nil }
        _ = skip(":", &rest)
        guard let minute = number(&rest, digits: 2), hour < 24, minute < 60 else { return nil }
        let offset = hour * 3_600_000 + minute * 60_000
        return isBehind ? -offset : offset
    }

    static func number(_ rest: inout ArraySlice<UInt8>, digits: Int) -> Int64? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    static func skip(_ character: Character, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let first = rest.first, first == character.asciiValue else { return false }
        rest = rest.dropFirst()
        return true
    }
}
