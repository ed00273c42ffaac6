internal import Common
internal import GRDB
internal import JSON

extension TraceReader {
    /// A page of `GET /api/public/v2/scores`, or of the older `GET /api/public/scores`.
    func scores(_ request: ScoreRequest, project: String) async throws -> [UInt8] {
        let query = request.query
        let rows = try Self.checked { () throws(UnsupportedCondition) in try query.rows() }
        let total = try Self.checked { () throws(UnsupportedCondition) in try query.count() }
        return try await page(request.page, limit: query.limit, rows: rows, total: total) { row, _, writer in
            let score = ScoreRow.score(row)
            let trace = score.traceID == nil || !request.showsTraces ? nil : ScoreRow.trace(row)
            writer.score(score, project: project, trace: .some(trace))
        }
    }

    /// A page of `GET /api/public/v3/scores`.
    func scores(_ request: ScorePageRequest, project: String) async throws -> [UInt8] {
        var query = request.query
        // One more tells whether there are further pages.
        query.limit += 1
        let wanted = query
        let rows = try Self.checked { () throws(UnsupportedCondition) in try wanted.rows() }
        return try await database.read { db in
            var writer = JSONWriter()
            var cursor: ScoreCursor?
            try writer.object { writer in
                try writer.member("data") { writer in
                    try writer.array { writer in
                        let rows = try Row.fetchCursor(db, sql: rows.sql, arguments: rows.statementArguments)
                        var last: ScoreCursor?
                        for count in 0... {
                            guard let row = try rows.next() else { break }
                            guard count < request.query.limit else {
                                cursor = last
                                break
                            }
                            let score = ScoreRow.score(row)
                            writer.element { $0.score(score, project: project, request.groups) }
                            try Self.checkSize(writer)
                            last = ScoreCursor(timestamp: score.timestamp, id: score.id)
                        }
                    }
                }
                writer.member("meta") { writer in
                    writer.object { writer in
                        writer.member("limit", request.query.limit)
                        if let cursor { writer.member("cursor", cursor.text) }
                    }
                }
            }
            return writer.bytes
        }
    }

    /// One score; nil if the project has none of that id.
    func score(_ id: String, api: ScoreRequest.API, project: (name: String, number: Int64)) async throws -> [UInt8]? {
        var query = ScoreQuery(project: project.number)
        query.conditions = [Condition(column: .id, test: .equals(id))]
        query.tracesOnly = api == .v1
        let wanted = query
        let rows = try Self.checked { () throws(UnsupportedCondition) in try wanted.rows() }
        return try await database.read { db in
            let scores = try Row.fetchCursor(db, sql: rows.sql, arguments: rows.statementArguments)
                .map { ScoreRow.score($0) }
            guard let score = try scores.next() else { return nil }
            var writer = JSONWriter()
            writer.score(score, project: project.name)
            return writer.bytes
        }
    }

    /// The scores of a trace and its observations, the newest first, as the older API shows them: no corrections.
    static func scores(of trace: TraceRow, _ query: TraceQuery, _ db: Database) throws -> [Score] {
        var scores = ScoreQuery(project: query.project)
        scores.conditions = [Condition(column: .traceID, test: .equals(trace.id))]
        scores.limit = .max
        scores.tracesOnly = true
        scores.madeBy = query.madeBy
        let statement = try scores.rows()
        return try Array(
            Row.fetchCursor(db, sql: statement.sql, arguments: statement.statementArguments).map { ScoreRow.score($0) })
    }
}
