internal import Common
internal import Queue
internal import Upstream

/// Spans of one project that are sent together.
struct ExportBatch: Sendable {
    /// The largest body before compression.
    static let maximumBytes = SpanLimits.batch
    static let maximumCount = 512

    private static let prefix = Array(
        """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"metadata-gateway"}},\
        {"key":"service.version","value":{"stringValue":"\(GatewayVersion.current)"}}]},"scopeSpans":[{"scope":{"name":"metadata-gateway",\
        "version":"\(GatewayVersion.current)"},"spans":[
        """.utf8)
    private static let suffix = Array("]}]}]}".utf8)

    var entries: [SpanOutbox.Entry] = []
    var spans: [OutboxSpan] = []

    var count: Int { entries.count }

    /// The body as OTLP's JSON (an `ExportTraceServiceRequest`).
    var body: [UInt8] {
        var body = Self.prefix
        body.reserveCapacity(Self.prefix.count + Self.suffix.count + 2 * entries.reduce(0) { $0 + $1.size })
        for (index, span) in spans.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            span.appendOTLP(to: &body)
        }
        body.append(contentsOf: Self.suffix)
        return body
    }

    /// The spans for a trace store in this process; nil if version 0.1.0 wrote one of them.
    var records: [SpanRecord]? {
        let records = spans.compactMap(\.record)
        return records.count == spans.count ? records : nil
    }

    /// The two halves of a batch that is too large, or was refused as a whole. They help to find the fault in it.
    var halves: (ExportBatch, ExportBatch) {
        let middle = count / 2
        return (
            ExportBatch(entries: Array(entries[..<middle]), spans: Array(spans[..<middle])),
            ExportBatch(entries: Array(entries[middle...]), spans: Array(spans[middle...]))
        )
    }

    /// The number of entries, from the first on, that fit into one batch: at least one, however large it is. Written as
    /// OTLP, they may be too large together all the same.
    static func fitting(_ entries: some Collection<SpanOutbox.Entry>) -> Int {
        var (count, bytes) = (0, prefix.count + suffix.count)
        for entry in entries {
            bytes += entry.size + 1
            guard count == 0 || (count < maximumCount && bytes <= maximumBytes) else { break }
            count += 1
        }
        return count
    }
}

/// A span as it lay in the outbox.
enum OutboxSpan: Sendable {
    case record(SpanRecord)
    /// One OTLP/JSON object. Version 0.1.0 wrote all spans so, and they are still written so where its exporters may
    /// run.
    case json([UInt8])

    /// - Parameter bytes: the span as it was before it was sealed.
    /// - Throws: `WireError` for bytes that are neither.
    init(_ bytes: [UInt8]) throws(WireError) {
        self = bytes.first == UInt8(ascii: "{") ? .json(bytes) : .record(try SpanRecord(bytes))
    }

    var record: SpanRecord? { if case .record(let record) = self { record } else { nil } }

    func appendOTLP(to body: inout [UInt8]) {
        switch self {
        case .record(let record): record.appendOTLP(to: &body)
        case .json(let bytes): body.append(contentsOf: bytes)
        }
    }
}

/// The meaning of a trace store's answer to a batch. Langfuse's ingestion over OTLP accepts or refuses a batch as a
/// whole. After a 4xx a batch must not be sent again unchanged; after 408, 429 and 5xx it may be.
enum ExportOutcome: Sendable, Equatable {
    case accepted
    /// Something in the batch is wrong, or the place takes nothing at all. Other spans show which, if they are taken.
    case malformed(String)
    /// The keys or the place are wrong, not the spans. Nothing is taken there until the operator has corrected them.
    case refused(String)
    /// The batch may be accepted later.
    case later(String, after: Duration?)

    /// The longest `Retry-After` that is believed.
    static let longestWait = Duration.seconds(300)

    /// The most bytes of an answer that are looked at.
    static let mostBytes = 64 << 10

    /// - Parameter body: the beginning of the answer's body, at least ``mostBytes`` if there are as many.
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

    /// The seconds of `Retry-After`. A date, which RFC 9110 §10.2.3 allows, is not read: neither Langfuse nor the
    /// proxies before it send one.
    private static func seconds(_ head: UpstreamHead) -> Int? {
        head.headers.first(named: "retry-after").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}
