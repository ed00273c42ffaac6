package import Common

/// A place that keeps the rows of the request log and answers questions about them.
package protocol RequestLogStore: Sendable {
    /// Keeps rows, all of them or none. A row whose id is there already takes that row's place with its attempts.
    func add(_ rows: [RequestRow]) async throws
}
