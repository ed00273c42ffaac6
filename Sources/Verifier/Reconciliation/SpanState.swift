package import Common
internal import Queue

/// The state of a completion's span that has not been seen in the trace store.
package enum SpanState: Sendable, Equatable {
    /// There is none: the completion has not ended.
    case absent
    /// There is none: the completion has not ended yet, or it has and its span made room for later ones
    /// (`OUTBOX_BYTES`).
    case perhapsForgotten
    /// There is none, and the completion has ended: a proxy writes its trace.
    case ended
    /// It waits for its export.
    case waiting
    /// The trace store accepted it so long ago.
    case sent(ago: Duration)

    /// The life of an accepted span, so that it can be sent again. The exporter sets it; the rest of it tells its age.
    package static let lifeAfterExport = SpanOutbox.keptFor

    /// Clocks differ: those that name completions, and that of Redis.
    private static let clockMargin = Duration.seconds(10)

    /// - Parameters:
    ///   - id: the completion.
    ///   - life: milliseconds that the span's key has left, as PTTL tells it.
    ///   - oldestKept: when the oldest span was accepted that is still kept. Nil: none is.
    package init(of id: InsertionID, life: Int, oldestKept: Timestamp?) {
        let kept = Int(Self.lifeAfterExport / .milliseconds(1))
        switch life {
        case 0...kept: self = .sent(ago: .milliseconds(kept - life))
        case -2:
            // What was accepted before the oldest that is kept has made room for it.
            self = oldestKept.map { id.time < $0 + Self.clockMargin } ?? false ? .perhapsForgotten : .absent
        default: self = .waiting
        }
    }
}
