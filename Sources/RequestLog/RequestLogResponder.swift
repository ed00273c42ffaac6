package import Common
internal import JSON

/// Answers the questions about the request log: `/logs/requests`, `/logs/requests/{insertion_id}`, `/logs/metadata`,
/// `/metrics/query`, and `/logs/audit`. A project sees its own rows alone.
package struct RequestLogResponder: Sendable {
    private let store: any RequestLogStore
    private let audits: any AuditLogStore
    private let now: @Sendable () -> Timestamp

    package init(
        store: any RequestLogStore, audits: any AuditLogStore,
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.store = store
        self.audits = audits
        self.now = now
    }

    private static let requests = "/logs/requests"
    private static let metadata = "/logs/metadata"
    private static let metrics = "/metrics/query"
    private static let audit = "/logs/audit"

    /// Whether a path is one of the request log's.
    /// - Parameter path: without `/v1`, project and query.
    package static func answers(_ path: String) -> Bool {
        path == requests || path.hasPrefix(requests + "/") || path == metadata || path == metrics
            || path == audit
    }

    /// Answers a `GET`.
    /// - Parameters:
    ///   - path: without `/v1`, project and query.
    ///   - query: the parameters behind the `?`.
    ///   - asker: no row of a project other than theirs is looked at.
    /// - Throws: a 400 that names the parameter at fault, a 404; what the store throws.
    package func answer(_ path: String, _ query: QueryItems, for asker: LogAsker) async throws -> RequestLogResponse {
        let project = asker.project
        switch path {
        case Self.audit: return try await audit(query, asker)
        case Self.requests: return try await page(query, project)
        case Self.metadata: return try await suggestions(query, project)
        case Self.metrics: return try await metrics(query, project)
        default:
            guard path.hasPrefix(Self.requests + "/") else { throw GatewayError.noSuchLog(path) }
            return try await row(String(path.dropFirst(Self.requests.utf8.count + 1)), project)
        }
    }

    private func page(_ query: QueryItems, _ project: String) async throws -> RequestLogResponse {
        let asked = try PageQuery(query, FilterParser(now: now()))
        return try await Self.list(asked) { [store, filter = asked.filter] cursor, limit in
            try await store.page(filter, after: cursor, limit: limit, project: project)
        }
    }

    private func audit(_ query: QueryItems, _ asker: LogAsker) async throws -> RequestLogResponse {
        let asked = try PageQuery(query, AuditParser(now: now()))
        return try await Self.list(asked) { [audits, filter = asked.filter] cursor, limit in
            try await audits.page(filter, after: cursor, limit: limit, for: asker)
        }
    }

    /// A page of rows, or an export of all.
    private static func list<Row: ShownRow, Filter>(
        _ asked: PageQuery<Filter>,
        _ read: @escaping @Sendable (_ cursor: PageCursor?, _ limit: Int) async throws -> RowPage<Row>
    ) async throws -> RequestLogResponse {
        let page = try await read(asked.cursor, asked.limit)
        if let form = asked.form {
            let export = RowExport(form: form, first: page) { try await read($0, FilterLimits.pageRows) }
            return RequestLogResponse(contentType: form.contentType, body: .pieces { try await export.write(to: $0) })
        }
        return json { writer in
            writer.object { writer in
                writer.member("data") { writer in writer.array(page.rows) { $1.write(to: &$0) } }
                writer.member("next_cursor", page.next?.text)
            }
        }
    }

    private func row(_ text: String, _ project: String) async throws -> RequestLogResponse {
        guard let id = InsertionID(text) else {
            throw GatewayError.invalidRequest(
                code: "invalid_insertion_id",
                "`\(text.prefix(64))` is not an insertion id: those are UUIDs, as the header x-insertion-id has them.",
                param: "insertion_id")
        }
        guard let row = try await store.row(id, project: project) else {
            throw GatewayError.invalidRequest(
                404, code: "request_not_found",
                "The request log of this project has no request \(id): it is too old, or is still running.",
                param: "insertion_id")
        }
        return Self.json { $0.request(row, whole: true) }
    }

    /// Keys of metadata, or with `key` values of that key: what a form can suggest.
    private func suggestions(_ query: QueryItems, _ project: String) async throws -> RequestLogResponse {
        let known = ["key", "prefix", "limit"]
        for (name, _) in query.items where !known.contains(name) {
            let list = known.map { "`\($0)`" }.joined(separator: ", ")
            throw GatewayError.invalidQuery(String(name.prefix(64)), "is not known here. Known: \(list)")
        }
        let limit = try query.integer("limit", in: 1...FilterLimits.suggestions) ?? FilterLimits.usualSuggestions
        let start = query.value("prefix") ?? ""
        guard let key = query.value("key") else {
            let keys = try await store.metadataKeys(startingWith: start, limit: limit, project: project)
            return Self.json { $0.object { $0.member("keys") { $0.texts(keys) } } }
        }
        let values = try await store.metadataValues(of: key, startingWith: start, limit: limit, project: project)
        return Self.json { writer in
            writer.object { writer in
                writer.member("key", key)
                writer.member("values") { $0.texts(values) }
            }
        }
    }

    private func metrics(_ query: QueryItems, _ project: String) async throws -> RequestLogResponse {
        let asked = try MetricsQuery(query, now: now())
        do {
            let result = try await store.metrics(asked, project: project)
            return Self.json { $0.metrics(result, of: asked, project: project) }
        } catch is TooManyRows {
            throw GatewayError.invalidQuery(
                "from",
                "reaches too far back: one chart is made of at most \(FilterLimits.chartRows) requests out of "
                    + "\(FilterLimits.chartLooks). Make it later, `to` earlier, or filter more")
        }
    }

    private static func json(_ body: (inout JSONWriter) -> Void) -> RequestLogResponse {
        var writer = JSONWriter()
        body(&writer)
        return RequestLogResponse(body: .whole(writer.bytes))
    }
}

extension GatewayError {
    fileprivate static func noSuchLog(_ path: String) -> Self {
        .invalidRequest(404, code: "not_found", "The request log has no `\(path.prefix(256))`.")
    }
}
