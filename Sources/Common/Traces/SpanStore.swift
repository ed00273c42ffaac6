/// A trace store in this process. Spans reach it without HTTP, compression and OTLP in between.
package protocol SpanStore: Sendable {
    /// Stores spans of one project, all or none.
    /// - Returns: the store's answer, once the spans are committed or it is known why they are not.
    func store(_ spans: [SpanRecord], of project: String) async -> SpanStoreResponse
}

/// The answer of a trace store in this process: the status that it would answer by HTTP.
package struct SpanStoreResponse: Sendable, Equatable {
    package static let stored = SpanStoreResponse(status: 200)

    package var status: Int
    /// The seconds of `Retry-After`.
    package var retryAfter: Int?

    package init(status: Int, retryAfter: Int? = nil) {
        self.status = status
        self.retryAfter = retryAfter
    }
}
