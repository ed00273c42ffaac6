/// Decides how long one project's spans are collected before they leave together: the whole interval while few come,
/// and under load until they are about a batch.
///
/// To wait for more would gain nothing: a batch holds no more, and ``RecentSpans`` would have given up the oldest
/// spans.
struct ExportPace: Sendable {
    /// Less than a batch holds, so that spans that come during the reading still fit into it.
    static let spans = ExportBatch.maximumCount / 4 * 3
    static let bytes = ExportBatch.maximumBytes / 4 * 3

    /// The time at which the last collection ended.
    private var last: ContinuousClock.Instant?

    /// Ends a collection.
    /// - Parameters:
    ///   - began: when its spans began to be sent.
    ///   - now: when all of them were settled.
    ///   - count: how many there were.
    ///   - bytes: how many bytes they had.
    ///   - interval: how long spans are collected at most.
    /// - Returns: when the next ones leave.
    mutating func next(
        after began: ContinuousClock.Instant, now: ContinuousClock.Instant, count: Int, bytes: Int, interval: Duration
    ) -> ContinuousClock.Instant {
        let period = last.map { $0.duration(to: now) }
        last = now
        let batches = max(Double(count) / Double(Self.spans), Double(bytes) / Double(Self.bytes))
        let latest = began + interval
        guard let period, batches > 0 else { return latest }
        // Spans go on coming as fast as before.
        return min(latest, now + period / batches)
    }
}
