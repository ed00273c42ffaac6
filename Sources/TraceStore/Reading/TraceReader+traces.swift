internal import Common
internal import GRDB
internal import JSON

extension TraceReader {
    /// A page of `GET /api/public/traces`.
    func traces(_ request: TraceRequest, project: String) async throws -> [UInt8] {
        let query = request.query
        let rows = try Self.checked { () throws(UnsupportedCondition) in try query.rows() }
        let total = try Self.checked { () throws(UnsupportedCondition) in try query.count() }
        return try await page(query.page, limit: query.limit, rows: rows, total: total) { row, db, writer in
            let trace = TraceRow(row)
            let spans = try Self.spans(of: trace, query, readsContent: request.groups.contains(.io), db)
            let scores = request.groups.contains(.scores) ? try Self.scores(of: trace, query, db) : []
            writer.trace(trace, spans: spans, scores: scores, project: project, groups: request.groups)
        }
    }

    /// `GET /api/public/traces/{id}`; nil if the project has no such trace.
    func trace(_ id: String, _ request: TraceRequest, project: String) async throws -> [UInt8]? {
        var query = request.query
        query.conditions = [Condition(column: .id, test: .equals(id))]
        let found = query
        let rows = try Self.checked { () throws(UnsupportedCondition) in try found.rows() }
        return try await database.read { db in
            let traces = try Row.fetchCursor(db, sql: rows.sql, arguments: rows.statementArguments).map { TraceRow($0) }
            guard let trace = try traces.next() else { return nil }
            let spans = try Self.spans(of: trace, found, readsContent: true, db)
            let scores = request.groups.contains(.scores) ? try Self.scores(of: trace, found, db) : []
            var writer = JSONWriter()
            writer.fullTrace(trace, spans: spans, scores: scores, project: project, groups: request.groups)
            try Self.checkSize(writer)
            return writer.bytes
        }
    }

    /// The spans of a trace, the earliest first.
    static func spans(
        of trace: TraceRow, _ query: TraceQuery, readsContent: Bool, _ db: Database
    ) throws -> [Observation] {
        var observations = ObservationQuery(project: query.project)
        observations.conditions = [Condition(column: .traceID, test: .equals(trace.id))]
        observations.limit = .max
        observations.madeBy = query.madeBy
        observations.readsContent = readsContent
        let statement = try observations.rows()
        let rows = try Row.fetchCursor(db, sql: statement.sql, arguments: statement.statementArguments)
        var spans: [Observation] = []
        var bytes = 0
        while let row = try rows.next() {
            let span = ObservationRow.observation(row)
            bytes += (span.input?.utf8.count ?? 0) + (span.output?.utf8.count ?? 0) + (span.metadata?.utf8.count ?? 0)
            guard bytes <= maximumBytes else { throw LangfuseError.tooLarge(maximumBytes) }
            spans.append(span)
        }
        return spans.reversed()
    }
}
