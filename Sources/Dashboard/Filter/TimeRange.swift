internal import Common
internal import RequestLog

/// The time that a page is about: how long back, or from one moment to another.
package struct TimeRange: Sendable, Equatable {
    /// `24h`, or a time of ISO 8601; nil: all that is kept.
    package var from: String?
    package var to: String?

    package init(from: String? = nil, to: String? = nil) {
        self.from = from
        self.to = to
    }

    /// The range of charts whose query says none.
    static let usual = "24h"

    /// The form's word for a range that is none of the presets.
    static let custom = "custom"

    static let presets: [(text: String, label: String, milliseconds: UInt64)] = [
        ("15m", "Last 15 minutes", 900_000), ("1h", "Last hour", 3_600_000), ("6h", "Last 6 hours", 21_600_000),
        ("24h", "Last 24 hours", 86_400_000), ("7d", "Last 7 days", 604_800_000),
        ("30d", "Last 30 days", 2_592_000_000),
    ]

    var isPreset: Bool { to == nil && (from == nil || Self.presets.contains { $0.text == from }) }

    /// The range's length in milliseconds, as far as it can be told.
    func length(now: Timestamp) -> UInt64? {
        guard let from, let start = Self.time(from, now: now) else { return nil }
        let end = to.flatMap { Self.time($0, now: now) } ?? now
        return end > start ? end.milliseconds(since: start) : nil
    }

    /// The range of charts, which always begin somewhere: as the log does, a day before their end.
    func charted(now: Timestamp) -> TimeRange {
        guard from == nil else { return self }
        guard let to else { return TimeRange(from: Self.usual) }
        let day = FilterLimits.usualRange
        return TimeRange(from: Self.time(to, now: now).map { ($0 - day).iso8601 }, to: to)
    }

    /// A moment as the log reads it: of ISO 8601, or so long ago.
    private static func time(_ text: String, now: Timestamp) -> Timestamp? {
        DurationText.milliseconds(text).map { now - .milliseconds($0) } ?? Timestamp(iso8601: text)
    }

    /// The interval of a chart with at most ``mostPoints`` points.
    static func interval(for length: UInt64) -> String {
        steps.first { length / $0.milliseconds <= mostPoints }?.text ?? "30d"
    }

    static let mostPoints: UInt64 = 60

    private static let steps: [(text: String, milliseconds: UInt64)] = [
        ("1s", 1000), ("5s", 5000), ("15s", 15_000), ("30s", 30_000), ("1m", 60_000), ("2m", 120_000), ("5m", 300_000),
        ("10m", 600_000), ("15m", 900_000), ("30m", 1_800_000), ("1h", 3_600_000), ("2h", 7_200_000),
        ("3h", 10_800_000), ("6h", 21_600_000), ("12h", 43_200_000), ("1d", 86_400_000), ("7d", 604_800_000),
    ]
}
