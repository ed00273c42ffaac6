package import Common

/// Answers the questions about the request log: `/logs/requests`, `/logs/requests/{insertion_id}`, `/logs/metadata` and
/// `/metrics/query`. A project sees its own rows alone.
package struct RequestLogResponder: Sendable {
    private let store: any RequestLogStore
    /// Milliseconds since 1970.
    private let now: @Sendable () -> UInt64

    package init(store: any RequestLogStore, now: @escaping @Sendable () -> UInt64 = { UnixTime.milliseconds }) {
        self.store = store
        self.now = now
    }

    /// Whether a path is one of the request log's.
    /// - Parameter path: without `/v1`, project and query.
    package static func answers(_ path: String) -> Bool {
        path == "/logs/requests" || path.hasPrefix("/logs/requests/") || path == "/logs/metadata"
            || path == "/metrics/query"
    }

    /// Answers a `GET`.
    /// - Parameters:
    ///   - path: without `/v1`, project and query.
    ///   - query: the parameters behind the `?`.
    ///   - project: the asker's. No row of another one is looked at.
    /// - Throws: a 400 that names the parameter at fault, a 404; what the store throws.
    package func answer(_ path: String, _ query: QueryItems, project: String) async throws -> RequestLogAnswer {
        throw GatewayError.invalidRequest(404, code: "not_found", "The request log has no `\(path)`.")
    }
}
