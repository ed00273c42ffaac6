internal import Common
internal import RequestLog

/// The row that one record for the request log becomes.
enum LoggedRow: Sendable {
    case request(RequestRow)
    case audit(AuditEvent)

    /// - Parameters:
    ///   - bytes: the record, as it was before it was sealed.
    ///   - prices: the prices of models.
    /// - Throws: `WireError` for bytes that are not a record.
    init(_ bytes: [UInt8], prices: PriceTable) throws(WireError) {
        guard bytes.first != AuditEvent.form else {
            self = .audit(try AuditEvent(wireBytes: bytes))
            return
        }
        var row = RequestRow(try RecordTexts(bytes))
        row.cost = prices.cost(provider: row.provider, model: row.modelServed, tokens: row.tokens)
        self = .request(row)
    }
}

extension [LoggedRow] {
    var requests: [RequestRow] { compactMap { if case .request(let row) = $0 { row } else { nil } } }
    var audits: [AuditEvent] { compactMap { if case .audit(let event) = $0 { event } else { nil } } }
}
