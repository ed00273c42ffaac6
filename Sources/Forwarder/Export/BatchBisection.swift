internal import Common
internal import Queue

/// Tells a malformed span from a misconfigured endpoint: a span is blamed only if the endpoint takes others. An
/// endpoint that takes no spans may answer 400 as well, such as a server for HTTPS that is called in plain text. Then
/// all spans wait.
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
