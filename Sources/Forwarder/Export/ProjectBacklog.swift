internal import Common
internal import Queue

/// One project's spans on their way out: those that were taken from the outbox and are not settled, and when the trace
/// store is asked again after it could not take them.
struct ProjectBacklog: Sendable {
    private static let shortestPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)
    /// The pause after a store refused the keys, which the operator has to correct.
    private static let pauseAfterRefusal = Duration.seconds(60)

    let project: String
    var waiting: [SpanOutbox.Entry] = []
    private(set) var notBefore: ContinuousClock.Instant
    private var failures = 0
    private var pace = ExportPace()

    init(project: String, now: ContinuousClock.Instant) {
        self.project = project
        notBefore = now
    }

    /// Whether there is something to be sent, and it may be now.
    var hasWork: Bool { !waiting.isEmpty && notBefore <= .now }

    /// Whether more may be taken from the outbox. What could not be sent waits for company: other spans show whether
    /// they are taken.
    var hasRoom: Bool { waiting.count < ExportBatch.maximumCount && notBefore <= .now }

    /// Puts entries back that were not settled, before the others.
    mutating func takeBack(_ entries: [SpanOutbox.Entry]) {
        waiting.insert(contentsOf: entries.filter { !waiting.contains($0) }, at: 0)
    }

    /// All is settled; what comes next leaves together.
    /// - Parameters:
    ///   - interval: how long spans are collected at most.
    ///   - began: when the last ones began to be sent.
    ///   - sent: how many those were, and their bytes.
    mutating func collect(
        for interval: Duration, after began: ContinuousClock.Instant, sent: (count: Int, bytes: Int)
    ) {
        notBefore = pace.next(after: began, now: .now, count: sent.count, bytes: sent.bytes, interval: interval)
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
