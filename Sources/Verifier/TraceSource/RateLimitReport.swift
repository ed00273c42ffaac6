internal import Common

/// An answer's report on the caller's rate limit (`X-RateLimit-Limit`, `-Remaining`, `-Reset`).
struct RateLimitReport: Sendable, Equatable {
    /// Calls that are left in the window.
    let remaining: Int
    /// The time until the window begins anew.
    let reset: Duration

    /// The longest time that is believed. Langfuse's windows have a minute; a longer one is an error of the store's,
    /// and is cut to this.
    static let longestWindow = LangfuseResponse.longestPause

    /// Nil unless both are told.
    /// - Parameter now: for a reset that is told as a time.
    init?(_ headers: [HeaderField], now: Timestamp) {
        guard let remaining = headers.first(named: "x-ratelimit-remaining").flatMap({ Int($0) }),
            let time = headers.first(named: "x-ratelimit-reset").flatMap({ Self.time($0, now: now) })
        else { return nil }
        self.remaining = max(remaining, 0)
        reset = min(time.elapsed(since: now), Self.longestWindow)
    }

    /// Reads a time as servers write it: ISO 8601, seconds (since 1970, or from now), or what JavaScript prints, `Sun
    /// Nov 22 2026 19:26:39 GMT+0000 (…)`, which is what Langfuse sends.
    private static func time(_ text: String, now: Timestamp) -> Timestamp? {
        if let seconds = Int64(text) {
            return (seconds > 1_000_000_000 ? .epoch : now) + .seconds(max(seconds, 0))
        }
        let milliseconds = TimeText.milliseconds(text) ?? TimeText.millisecondsFromJavaScript(text)
        return milliseconds.map { Timestamp(clamping: $0) }
    }
}

extension TimeText {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Reads ECMAScript's `Date.prototype.toString` (ECMA-262 §21.4.4.41). Nil if it is another text.
    fileprivate static func millisecondsFromJavaScript(_ text: String) -> Int64? {
        let words = text.split(separator: " ")
        guard words.count >= 6, let month = months.firstIndex(of: String(words[1])), let date = Int64(words[2]),
            (1...31).contains(date),
            let year = Int64(words[3]), (0...9999).contains(year), words[5].hasPrefix("GMT"), words[5].utf8.count == 8
        else { return nil }
        let iso = day(year: year, month: Int64(month + 1), day: date)
        let offset = words[5].dropFirst(3)
        return TimeText.milliseconds("1970-01-01T\(words[4])\(offset)").map { $0 + iso * 86_400_000 }
    }
}
