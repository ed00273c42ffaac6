internal import Common

/// A span as it lay in the outbox.
enum OutboxSpan: Sendable {
    case record(SpanRecord)
    /// One OTLP/JSON object, as version 0.1.0 wrote all spans, and as they are written where its exporters may be.
    case json([UInt8])

    /// - Parameter bytes: as they were before they were sealed.
    /// - Throws: `WireError` for what is neither.
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
