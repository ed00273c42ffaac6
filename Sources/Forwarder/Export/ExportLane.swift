internal import Common

/// One project's way out: what was taken from the outbox and is not settled, and when the trace store is asked again after it could not take it.
struct ExportLane: Sendable {
    private static let shortestPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)
    /// Until somebody has seen to the keys.
    private static let pauseAfterRefusal = Duration.seconds(60)

    let project: String
    var waiting: [SpanOutbox.Entry] = []
    /// Whether the last read brought as much as it could, so that there is more.
    var wasFull = false
    private(set) var notBefore: ContinuousClock.Instant
    private var failures = 0

    init(project: String, now: ContinuousClock.Instant) {
        self.project = project
        notBefore = now
    }

    /// The trace store took a batch.
    mutating func succeeded() { failures = 0 }

    /// The trace store could not take a batch.
    /// - Parameters:
    ///   - after: how long it asks to be left alone.
    ///   - spread: from 0 to 1; lets exporters that failed together come back apart.
    mutating func failed(after: Duration?, now: ContinuousClock.Instant, spread: Double) {
        let doubled = Self.shortestPause * (1 << min(failures, 5))
        let pause = max(after ?? .zero, min(doubled, Self.longestPause))
        failures += 1
        notBefore = now + pause * (1 + 0.2 * spread)
    }

    mutating func refused(now: ContinuousClock.Instant) { notBefore = now + Self.pauseAfterRefusal }
}
