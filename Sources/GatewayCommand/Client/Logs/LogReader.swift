internal import Common
internal import FoundationEssentials

/// Reads rows of a log, page by page.
struct LogReader<Row: ListedRow>: Sendable {
    /// The most rows of one page.
    private static var page: Int { 1000 }
    /// The time that one page may take.
    private static var patience: Duration { .seconds(60) }

    let client: GatewayClient
    let query: LogsQuery

    /// - Parameter start: since when, as the API takes it; nil: since ever.
    /// - Returns: the newest first.
    func rows(from start: String?, atMost most: Int) async throws(GatewayClient.Failure) -> [Row] {
        var rows: [Row] = []
        var cursor: String?
        repeat {
            var asked = query
            asked.add("limit", String(min(most - rows.count, Self.page)))
            if let start { asked.add("from", start) }
            if let cursor { asked.add("cursor", cursor) }
            let data = try await client.get(Row.path + "?" + asked.text, within: Self.patience)
            guard let page = LogPage<Row>(Array(data)) else {
                throw GatewayClient.Failure(
                    status: 200,
                    description: "the answer is not a page of rows; check the URL, and that gateway and command are of "
                        + "one version")
            }
            rows += page.rows
            cursor = page.nextCursor
        } while cursor != nil && rows.count < most
        return rows
    }
}
