internal import Common
internal import Queue

/// Tells a wrong span from a wrong place: a span is blamed only if the place takes others. A place that takes none
/// answers 400 as well, as a server does that is asked for HTTPS in plain text; then all of the spans wait.
struct ExportTrial {
    /// So many calls without a span that was taken are enough to know.
    private static let mostCalls = 64

    var hasAccepted = false
    /// Spans that were refused alone.
    var suspects: [SpanOutbox.Entry] = []
    private(set) var reason = ""
    private var refusals = 0

    /// Whether it is the place that is wrong.
    var isHopeless: Bool { !hasAccepted && refusals >= Self.mostCalls }

    mutating func refused(_ reason: String) {
        self.reason = reason
        refusals += 1
    }
}
