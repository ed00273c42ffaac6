internal import Common
internal import Upstream

/// What a trace store's answer to a batch means. (Langfuse's ingestion over OTLP: a batch is accepted or refused as a whole; 4xx is not to be sent again
/// as it is, 408, 429 and 5xx are.)
enum ExportOutcome: Sendable, Equatable {
    case accepted
    /// Something in the batch is wrong, or the place takes nothing at all: whether it takes other spans tells.
    case malformed(String)
    /// Not the spans are wrong but the keys or the place: nothing goes there until somebody has seen to it.
    case refused(String)
    /// It may be accepted later.
    case later(String, after: Duration?)

    /// The longest `Retry-After` that is believed.
    static let longestWait = Duration.seconds(3600)

    init(_ head: UpstreamHead) {
        switch head.status {
        case 200..<300: self = .accepted
        case 400, 413, 422: self = .malformed("it answered \(head.status)")
        case 408, 425, 429, 500...: self = .later("it answered \(head.status)", after: Self.wait(head))
        default: self = .refused("it answered \(head.status)")
        }
    }

    init(_ error: UpstreamError) { self = .later(error.description, after: nil) }

    /// Seconds alone: neither Langfuse nor the proxies before it send a date (RFC 9110 §10.2.3 allows one).
    private static func wait(_ head: UpstreamHead) -> Duration? {
        guard let text = head.headers.first(named: "retry-after"), let seconds = Int(text), seconds >= 0 else { return nil }
        return min(.seconds(seconds), longestWait)
    }
}
