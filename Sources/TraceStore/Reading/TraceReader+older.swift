internal import Common
internal import GRDB
internal import JSON

/// The older API's observations and sessions, which SDKs of version 3 ask for.
extension TraceReader {
    /// A page of `GET /api/public/observations`.
    func observations(_ request: OlderObservationRequest, project: String) async throws -> [UInt8] {
        let query = request.query
        let rows = try Self.checked { () throws(UnsupportedCondition) in try query.rows() }
        let total = try Self.checked { () throws(UnsupportedCondition) in try query.count() }
        return try await page(request.page, limit: query.limit, rows: rows, total: total) { row, _, writer in
            writer.fullObservation(ObservationRow.observation(row), project: project)
        }
    }

    /// `GET /api/public/observations/{id}`; nil if the project has no such observation. Of several the newest.
    func observation(_ id: String, project: String, _ query: ObservationQuery) async throws -> [UInt8]? {
        var query = query
        query.conditions = [Condition(column: .id, test: .equals(id))]
        query.limit = 1
        query.readsContent = true
        let wanted = query
        let rows = try Self.checked { () throws(UnsupportedCondition) in try wanted.rows() }
        return try await database.read { db in
            let found = try Row.fetchCursor(db, sql: rows.sql, arguments: rows.statementArguments)
                .map { ObservationRow.observation($0) }
            guard let observation = try found.next() else { return nil }
            var writer = JSONWriter()
            writer.fullObservation(observation, project: project)
            try Self.checkSize(writer)
            return writer.bytes
        }
    }

    /// A page of `GET /api/public/sessions`.
    func sessions(_ request: SessionRequest, project: String) async throws -> [UInt8] {
        let query = request.query
        return try await page(
            request.page, limit: query.limit, rows: query.rows, total: query.count
        ) { row, _, writer in
            writer.object { $0.session(SessionRow(row), project: project) }
        }
    }

    /// `GET /api/public/sessions/{id}` with its traces; nil if the project has no such session.
    func session(_ id: String, project: String, _ query: TraceQuery) async throws -> [UInt8]? {
        var session = SessionQuery(project: query.project)
        session.id = id
        var traces = query
        traces.conditions = [Condition(column: .session, test: .equals(id))]
        traces.limit = .max
        let (found, wanted) = (session.rows, traces)
        let rows = try Self.checked { () throws(UnsupportedCondition) in try wanted.rows() }
        return try await database.read { db in
            let sessions = try Row.fetchCursor(db, sql: found.sql, arguments: found.statementArguments)
                .map { SessionRow($0) }
            guard let session = try sessions.next() else { return nil }
            let traces = try Array(
                Row.fetchCursor(db, sql: rows.sql, arguments: rows.statementArguments).map { TraceRow($0) })
            var writer = JSONWriter()
            try writer.object { writer in
                writer.session(session, project: project)
                try writer.member("traces") { writer in
                    try writer.array(traces) { writer, trace in
                        let spans = try Self.spans(of: trace, wanted, readsContent: true, db)
                        writer.traceAlone(trace, spans, project: project)
                        try Self.checkSize(writer)
                    }
                }
            }
            return writer.bytes
        }
    }
}
