internal import Common
internal import GRDB

extension TraceDatabase {
    /// Writes rows in one transaction. A row that is there already, by project, trace, span and start, is replaced; it keeps the time at which it was made.
    func insert(_ rows: [Observation], project: Int64) async throws {
        try await write { db in
            for row in rows { try Self.insert(row, project: project, db) }
        }
    }

    private static func insert(_ row: Observation, project: Int64, _ db: Database) throws {
        let trace = try TraceRow.merge(row, project: project, db)
        let tags = row.tags.isEmpty ? nil : TagList.json(row.tags)
        let known = try db.cachedStatement(
            sql: "SELECT id, tags FROM observation WHERE project = ? AND traceId = ? AND spanId = ? AND start = ?")
        let old = try Row.fetchOne(known, arguments: [project, row.traceID, row.id, row.start])
        let id: Int64
        if let old {
            id = old[0]
            try untag(id, start: row.start, tags: old[1], project: project, db)
            try db.cachedStatement(sql: replaceObservation).execute(arguments: values(row, project, trace, tags) + [id])
        } else {
            try db.cachedStatement(sql: insertObservation).execute(arguments: values(row, project, trace, tags) + [row.created])
            id = db.lastInsertedRowID
        }
        let text = WholeText.placeholder
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO content(observation, input, output, metadata) VALUES (?, \(text), \(text), \(text))")
            .execute(arguments: [id, row.input.whole, row.output.whole, row.metadata.whole])
        let tagging = try db.cachedStatement(sql: "INSERT OR REPLACE INTO tagged(tag, start, observation, trace) VALUES (?, ?, ?, ?)")
        for tag in row.tags { try tagging.execute(arguments: [TagHash.of(tag, project: project), row.start, id, trace]) }
    }

    /// Takes a row out of the index of tags.
    static func untag(_ id: Int64, start: Int64, tags: String?, project: Int64, _ db: Database) throws {
        guard let tags else { return }
        let statement = try db.cachedStatement(sql: "DELETE FROM tagged WHERE tag = ? AND start = ? AND observation = ?")
        for tag in TagList.tags(tags) { try statement.execute(arguments: [TagHash.of(tag, project: project), start, id]) }
    }

    private static let columns = [
        "project", "traceId", "spanId", "start", "trace", "\"end\"", "parent", "root", "type", "name", "level", "statusMessage", "version",
        "environment",
        "release", "user", "session", "traceName", "tags", "public", "model", "modelParameters", "usage", "cost", "totalCost", "firstToken",
        "promptName",
        "promptVersion", "updated",
    ]
    private static let numbers: Set = [
        "project", "start", "trace", "\"end\"", "root", "public", "totalCost", "firstToken", "promptVersion", "updated",
    ]
    private static let placeholders = columns.map { numbers.contains($0) ? "?" : WholeText.placeholder }
    private static let insertObservation =
        "INSERT INTO observation(\(columns.joined(separator: ", ")), created) VALUES (\(placeholders.joined(separator: ", ")), ?)"
    private static let replaceObservation =
        "UPDATE observation SET \(zip(columns, placeholders).map { "\($0) = \($1)" }.joined(separator: ", ")) WHERE id = ?"

    private static func values(_ row: Observation, _ project: Int64, _ trace: Int64, _ tags: String?) -> StatementArguments {
        [
            project, row.traceID.whole, row.id.whole, row.start, trace, row.end, row.parentID.whole, row.isRoot, row.type.whole, row.name.whole,
            row.level.whole, row.statusMessage.whole, row.version.whole, row.environment.whole, row.release.whole, row.user.whole, row.session.whole,
            row.traceName.whole, tags.whole, row.isPublic, row.model.whole, row.modelParameters.whole, row.usage.whole, row.cost.whole,
            row.totalCost, row.firstToken, row.promptName.whole, row.promptVersion, row.updated,
        ]
    }
}
