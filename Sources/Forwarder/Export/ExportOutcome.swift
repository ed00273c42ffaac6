internal import Common
internal import JSON
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
        if Self.isPage(head, body) {
            self = .refused("it answered \(head.status) with a web page")
        } else if let rejected = Self.rejected(body), rejected > 0 {
            self = .malformed("it answered \(head.status) and rejected \(rejected) of the spans")
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

    /// Whether a page for people was sent, as by a proxy's login or a wrong address: no trace store took anything then.
    private static func isPage(_ head: UpstreamHead, _ body: [UInt8]) -> Bool {
        if head.headers.first(named: "content-type")?.lowercased().contains("html") ?? false { return true }
        return body.first { !" \t\r\n\u{FEFF}".utf8.contains($0) } == UInt8(ascii: "<")
    }

    /// How many spans were rejected (`partialSuccess.rejectedSpans` of OTLP/JSON, a number or a decimal string); nil if
    /// the answer does not say.
    private static func rejected(_ body: [UInt8]) -> Int? {
        guard let answer = try? JSONObject.scan(body, maximumDepth: 16), let partial = answer.member("partialSuccess"),
            let success = try? answer.object(partial), let count = success.member("rejectedSpans")
        else { return nil }
        let text = count.kind == .number ? String(decoding: body[count.value], as: UTF8.self) : success.string(count)
        return text.flatMap { Int($0) }
    }

    /// Seconds alone: neither Langfuse nor the proxies before it send a date (RFC 9110 §10.2.3 allows one).
    private static func seconds(_ head: UpstreamHead) -> Int? {
        head.headers.first(named: "retry-after").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}
