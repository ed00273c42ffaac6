internal import Common
internal import Upstream

/// The meaning of a trace store's answer to a batch. (Langfuse's ingestion over OTLP: a batch is accepted or refused as
/// a whole; 4xx is not to be sent again as it is, 408, 429 and 5xx are.)
enum ExportOutcome: Sendable, Equatable {
    case accepted
    /// Something in the batch is wrong, or the place takes nothing at all: whether it takes other spans tells.
    case malformed(String)
    /// The keys or the place are wrong, not the spans: nothing goes there until the operator has corrected them.
    case refused(String)
    /// It may be accepted later.
    case later(String, after: Duration?)

    /// The longest `Retry-After` that is believed.
    static let longestWait = Duration.seconds(300)

    /// The most bytes of an answer that are looked at.
    static let mostBytes = 64 << 10

    /// - Parameter body: the beginning of the answer's body, ``mostBytes`` at least if there are as many.
    init(_ head: UpstreamHead, _ body: [UInt8]) {
        self.init(status: head.status, retryAfter: Self.seconds(head))
        guard self == .accepted else { return }
        switch ExportAnswer(head, body) {
        case .taken: return
        case .rejected(let count): self = .malformed("it answered \(head.status) and rejected \(count) of the spans")
        case .foreign(let what): self = .refused("it answered \(head.status) with \(what)")
        }
    }

    init(_ answer: SpanStoreResponse) { self.init(status: answer.status, retryAfter: answer.retryAfter) }

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
