internal import Common
internal import GRDB

/// Writes the rows of one transaction. Nearly every row and its trace are new, so it looks for an older one only where
/// SQLite finds that there is one.
struct RowWriter {
    private let db: Database
    private let project: Int64
    private let insertTrace, insertObservation, writeContent, addTag: Statement
    private var values = StatementValues()
    /// The tags of the row before, with their hashes: most rows of a batch share most of them.
    private var hashed: [(tag: String, hash: Int64)] = []

    init(_ db: Database, project: Int64) throws {
        self.db = db
        self.project = project
        insertTrace = try db.cachedStatement(sql: TraceRow.insert)
        insertObservation = try db.cachedStatement(sql: Self.insertObservation)
        writeContent = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO content(observation, input, output, metadata) VALUES (?, ?, ?, ?)")
        addTag = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO tagged(tag, start, observation, trace) VALUES (?, ?, ?, ?)")
    }

    mutating func write(_ row: Observation) throws {
        let tags = row.tags.isEmpty ? nil : TagList.json(row.tags)
        let trace = try writeTrace(of: row)
        let id = try writeObservation(row, trace: trace, tags: tags)
        values.removeAll()
        values.add(id)
        for text in [row.input, row.output, row.metadata] { values.add(text) }
        try values.execute(writeContent)
        for (index, tag) in row.tags.enumerated() where OwnTag.traceID(in: tag) != row.traceID {
            values.removeAll()
            values.add(hash(of: tag, at: index))
            values.add(row.start)
            values.add(id)
            values.add(trace)
            try values.execute(addTag)
        }
    }

    /// - Returns: the number of the trace's row.
    private mutating func writeTrace(of row: Observation) throws -> Int64 {
        let trace = TraceRow(of: row)
        values.removeAll()
        trace.add(to: &values)
        values.add(project)
        values.add(trace.id)
        values.add(trace.created)
        try values.execute(insertTrace)
        return db.changesCount == 1 ? db.lastInsertedRowID : try TraceRow.merge(row, project: project, db)
    }

    /// - Returns: the number of the row.
    private mutating func writeObservation(_ row: Observation, trace: Int64, tags: String?) throws -> Int64 {
        add(row, trace: trace, tags: tags)
        values.add(row.created)
        try values.execute(insertObservation)
        guard db.changesCount == 0 else { return db.lastInsertedRowID }
        let known = try db.cachedStatement(
            sql: "SELECT id, tags FROM observation WHERE project = ? AND traceId = ? AND spanId = ? AND start = ?")
        guard let old = try Row.fetchOne(known, arguments: [project, row.traceID, row.id, row.start]) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a row that is there is not found")
        }
        let id: Int64 = old[0]
        try TraceDatabase.untag(id, start: row.start, tags: old[1], project: project, db)
        add(row, trace: trace, tags: tags)
        values.add(id)
        try values.execute(db.cachedStatement(sql: Self.replaceObservation))
        return id
    }

    private mutating func hash(of tag: String, at index: Int) -> Int64 {
        if index < hashed.count, hashed[index].tag == tag { return hashed[index].hash }
        let hash = TagHash.of(tag, project: project)
        if index < hashed.count { hashed[index] = (tag, hash) } else { hashed.append((tag, hash)) }
        return hash
    }

    /// The values of `columns`.
    private mutating func add(_ row: Observation, trace: Int64, tags: String?) {
        values.removeAll()
        values.add(project)
        values.add(row.traceID)
        values.add(row.id)
        values.add(row.start)
        values.add(trace)
        values.add(row.end)
        values.add(row.parentID)
        values.add(row.isRoot)
        for text in [
            row.type, row.name, row.level, row.statusMessage, row.version, row.environment, row.release, row.user,
            row.session,
        ] {
            values.add(text)
        }
        values.add(row.traceName)
        values.add(tags)
        values.add(row.isPublic)
        for text in [row.model, row.modelParameters, row.usage, row.cost] { values.add(text) }
        values.add(row.totalCost)
        values.add(row.firstToken)
        values.add(row.promptName)
        values.add(row.promptVersion)
        values.add(row.updated)
    }

    private static let columns = [
        "project", "traceId", "spanId", "start", "trace", "\"end\"", "parent", "root", "type", "name", "level",
        "statusMessage", "version",
        "environment", "release", "user", "session", "traceName", "tags", "public", "model", "modelParameters", "usage",
        "cost", "totalCost",
        "firstToken", "promptName", "promptVersion", "updated",
    ]
    private static let insertObservation = """
        INSERT INTO observation(\(columns.joined(separator: ", ")), created) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")), ?)
        ON CONFLICT(project, traceId, spanId, start) DO NOTHING
        """
    private static let replaceObservation =
        "UPDATE observation SET \(columns.map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?"
}
