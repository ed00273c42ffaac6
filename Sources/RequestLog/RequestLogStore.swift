package import Common

/// A place that keeps the rows of the request log and answers questions about them. Each question is one project's, and
/// no row of another project is looked at.
package protocol RequestLogStore: Sendable {
    /// Keeps rows, all of them or none. A row whose id is there already in its project takes that row's
    /// place with its attempts.
    func add(_ rows: [RequestRow]) async throws

    /// Rows that pass a filter, the newest first. Following `next` visits each row once, also while rows are added.
    func page(
        _ filter: RequestFilter, after cursor: PageCursor?, limit: Int, project: String
    ) async throws -> RequestPage

    /// One row with its attempts; nil if the project has none of that id.
    func row(_ id: InsertionID, project: String) async throws -> RequestRow?

    /// The measures of a time range's rows together.
    func metrics(_ query: MetricsQuery, project: String) async throws -> MetricsResult

    /// Keys of metadata that rows have, in the order of their bytes.
    func metadataKeys(startingWith start: String, limit: Int, project: String) async throws -> [String]

    /// Values that rows have for a key of metadata, in the order of their bytes.
    func metadataValues(
        of key: String, startingWith start: String, limit: Int, project: String
    ) async throws -> [String]
}
