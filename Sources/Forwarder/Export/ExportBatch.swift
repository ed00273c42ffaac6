internal import Common
internal import Queue

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

    /// Two halves of a batch that is too large, or was refused as a whole, to find what is wrong in it.
    var halves: (ExportBatch, ExportBatch) {
        let middle = count / 2
        return (
            ExportBatch(entries: Array(entries[..<middle]), spans: Array(spans[..<middle])),
            ExportBatch(entries: Array(entries[middle...]), spans: Array(spans[middle...]))
        )
    }

    /// The number of these entries, from the first, that fit into one batch: at least one, however large. As OTLP they
    /// may be too large together all the same.
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
