internal import Common

/// Where the span of a completion is that has not been seen in the trace store.
package enum SpanState: Sendable, Equatable {
    /// There is none: the completion has not ended, or its span is kept no longer.
    case none
    /// It waits for its export.
    case waiting
    /// The trace store accepted it so long ago.
    case sent(ago: Duration)

    /// How long a span is kept after the trace store accepted it, so that it can be sent again. The exporter sets this life; what is left of it says when.
    package static let lifeAfterExport = SpanOutbox.keptFor

    /// - Parameter life: milliseconds that the span's key has left, as PTTL tells it.
    package init(life: Int) {
        let kept = Int(Self.lifeAfterExport / .milliseconds(1))
        switch life {
        case 0...kept: self = .sent(ago: .milliseconds(kept - life))
        case -2: self = .none
        default: self = .waiting
        }
    }
}
