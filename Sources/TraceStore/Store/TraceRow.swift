internal import Common
internal import GRDB

/// A trace by those of its spans that have come: the earliest start, all tags, and for all else the last word.
struct TraceRow: Sendable, Equatable {
    var row: Int64 = 0
    var id = ""
    var timestamp = Timestamp.epoch
    var name: String?
    var user: String?
    var session: String?
    var release: String?
    var version: String?
    var environment = "default"
    var isPublic = false
    var tags: [String] = []
    /// The input and output where they differ from those of the root span.
    var input: String?
    var output: String?
    var created = Timestamp.epoch
    var updated = Timestamp.epoch

    static let columns =
        "t.id, t.traceId, t.timestamp, t.name, t.user, t.session, t.release, t.version, t.environment, t.public, t.tags, t.input, t.output, t.created, t.updated"

    /// - Parameter row: as a cursor stands on it (``WholeText``).
    init(_ row: Row) {
        (self.row, id, timestamp, name, user) = (row[0], row.text(1) ?? "", row[2], row.text(3), row.text(4))
        (session, release, version, environment, isPublic) = (
            row.text(5), row.text(6), row.text(7), row.text(8) ?? "", row[9]
        )
        tags = row.text(10).map(TagList.tags) ?? []
        (input, output, created, updated) = (row.text(11), row.text(12), row[13], row[14])
    }

    static func == (left: Self, right: Self) -> Bool {
        left.row == right.row && left.times == right.times && left.isPublic == right.isPublic && left.tags == right.tags
            && left.texts == right.texts
    }

    private var times: [Timestamp] { [timestamp, created, updated] }

    private var texts: [UTF8Text?] {
        [id, name, user, session, release, version, environment, input, output].map { $0.map { UTF8Text($0) } }
    }

    /// The trace of one span alone.
    init(of span: Observation) {
        id = span.traceID
        timestamp = span.start
        created = span.created
        add(span)
    }

    /// Adds what a span says to its trace, which is there.
    /// - Returns: the number of the trace's row.
    static func merge(_ span: Observation, project: Int64, _ db: Database) throws -> Int64 {
        let known = try db.cachedStatement(sql: "SELECT \(columns) FROM trace t WHERE t.project = ? AND t.traceId = ?")
        guard let old = try Row.fetchCursor(known, arguments: [project, span.traceID]).map({ TraceRow($0) }).next()
        else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a trace that is there is not found")
        }
        var merged = old
        merged.add(span)
        guard merged != old else { return old.row }
        var values = StatementValues()
        merged.add(to: &values)
        values.add(old.row)
        try values.execute(db.cachedStatement(sql: update))
        return old.row
    }

    private mutating func add(_ span: Observation) {
        timestamp = min(timestamp, span.start)
        name = span.traceName ?? name
        user = span.user ?? user
        session = span.session ?? session
        release = span.release ?? release
        version = span.version ?? version
        if span.environment != "default" { environment = span.environment }
        isPublic = isPublic || span.isPublic
        if !span.tags.isEmpty, tags != span.tags { tags += span.tags.filter { !tags.contains($0) } }
        input = span.traceInput ?? input
        output = span.traceOutput ?? output
        updated = max(updated, span.updated)
    }

    private static let written = [
        "timestamp", "name", "user", "session", "release", "version", "environment", "public", "tags", "input",
        "output", "updated",
    ]
    /// Writes a trace unless it is there: the values of `add(to:)`, then its project, id and the time at which it was
    /// made.
    static let insert = """
        INSERT INTO trace(\(written.joined(separator: ", ")), project, traceId, created) VALUES (\(written.map { _ in "?" }.joined(separator: ", ")), ?, ?, ?)
        ON CONFLICT(project, traceId) DO NOTHING
        """
    private static let update = "UPDATE trace SET \(written.map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?"

    /// The values of `written`.
    func add(to values: inout StatementValues) {
        values.add(timestamp)
        for text in [name, user, session, release, version, environment] { values.add(text) }
        values.add(isPublic)
        values.add(tags.isEmpty ? nil : TagList.json(tags))
        values.add(input)
        values.add(output)
        values.add(updated)
    }
}
