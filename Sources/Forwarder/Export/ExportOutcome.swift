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

    init(_ head: UpstreamHead) { self.init(status: head.status, retryAfter: Self.seconds(head)) }

    init(_ answer: SpanStoreAnswer) { self.init(status: answer.status, retryAfter: answer.retryAfter) }

    private init(status: Int, retryAfter: Int?) {
        switch status {
        case 200..<300: self = .accepted
        case 400, 413, 422: self = .malformed("it answered \(status)")
        case 408, 425, 429, 500...:
            self = .later("it answered \(status)", after: retryAfter.map { min(.seconds($0), Self.longestWait) })
        default: self = .refused("it answered \(status)")
        }
    }

    init(_ error: UpstreamError) { self = .later(error.description, after: nil) }

    /// Seconds alone: neither Langfuse nor the proxies before it send a date (RFC 9110 §10.2.3 allows one).
    private static func seconds(_ head: UpstreamHead) -> Int? {
        head.headers.first(named: "retry-after").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}
