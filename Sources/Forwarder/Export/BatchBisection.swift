internal import Common
internal import Queue

/// Tells a malformed span from a misconfigured endpoint: a span is blamed only if the endpoint takes others. An
/// endpoint that takes none answers 400 as well, as a server does that is asked for HTTPS in plain text; then all
/// spans wait.
struct BatchBisection {
    /// The calls without an accepted span after which the endpoint is blamed.
    private static let mostCalls = 64

    var hasAccepted = false
    /// Spans that were refused alone.
    var suspects: [SpanOutbox.Entry] = []
    private(set) var reason = ""
    private var refusals = 0

    /// Whether the endpoint is wrong.
    var isHopeless: Bool { !hasAccepted && refusals >= Self.mostCalls }

    mutating func refused(_ reason: String) {
        self.reason = reason
        refusals += 1
    }
}
