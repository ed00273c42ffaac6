internal import Common
internal import GRDB

/// What is known of a trace from those of its spans that have come: the earliest start, the union of the tags, and for all else what was said last.
struct TraceRow: Sendable, Equatable {
    var row: Int64 = 0
    var id = ""
    /// Milliseconds since 1970.
    var timestamp: Int64 = 0
    var name: String?
    var user: String?
    var session: String?
    var release: String?
    var version: String?
    var environment = "default"
    var isPublic = false
    var tags: [String] = []
    /// Where they differ from those of the root span.
    var input: String?
    var output: String?
    var created: Int64 = 0
    var updated: Int64 = 0

    static let columns =
        "t.id, t.traceId, t.timestamp, t.name, t.user, t.session, t.release, t.version, t.environment, t.public, t.tags, t.input, t.output, t.created, t.updated"

    /// - Parameter row: as a cursor stands on it (``WholeText``).
    init(_ row: Row) {
        (self.row, id, timestamp, name, user) = (row[0], row.text(1) ?? "", row[2], row.text(3), row.text(4))
        (session, release, version, environment, isPublic) = (row.text(5), row.text(6), row.text(7), row.text(8) ?? "", row[9])
        tags = row.text(10).map(TagList.tags) ?? []
        (input, output, created, updated) = (row.text(11), row.text(12), row[13], row[14])
    }

    static func == (left: Self, right: Self) -> Bool {
        left.numbers == right.numbers && left.isPublic == right.isPublic && left.tags == right.tags && left.texts == right.texts
    }

    private var numbers: [Int64] { [row, timestamp, created, updated] }

    private var texts: [UTF8Text?] { [id, name, user, session, release, version, environment, input, output].map { $0.map { UTF8Text($0) } } }

    private init(_ span: Observation) {
        id = span.traceID
        timestamp = span.start
        environment = span.environment
        created = span.created
        updated = span.updated
    }

    /// Adds what a span says of its trace.
    /// - Returns: the number of the trace's row.
    static func merge(_ span: Observation, project: Int64, _ db: Database) throws -> Int64 {
        let known = try db.cachedStatement(sql: "SELECT \(columns) FROM trace t WHERE t.project = ? AND t.traceId = ?")
        let old = try Row.fetchCursor(known, arguments: [project, span.traceID]).map { TraceRow($0) }.next()
        var merged = old ?? TraceRow(span)
        merged.add(span)
        guard let old else {
            try db.cachedStatement(sql: insert).execute(arguments: merged.values + [project, merged.id, merged.created])
            return db.lastInsertedRowID
        }
        if merged != old { try db.cachedStatement(sql: update).execute(arguments: merged.values + [old.row]) }
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

    private static let numbers: Set = ["timestamp", "public", "updated"]
    private static let written = [
        "timestamp", "name", "user", "session", "release", "version", "environment", "public", "tags", "input", "output", "updated",
    ]
    private static let placeholders = written.map { numbers.contains($0) ? "?" : WholeText.placeholder }
    private static let insert =
        "INSERT INTO trace(\(written.joined(separator: ", ")), project, traceId, created) VALUES (\(placeholders.joined(separator: ", ")), ?, ?, ?)"
    private static let update = "UPDATE trace SET \(zip(written, placeholders).map { "\($0) = \($1)" }.joined(separator: ", ")) WHERE id = ?"

    private var values: StatementArguments {
        [
            timestamp, name.whole, user.whole, session.whole, release.whole, version.whole, environment.whole, isPublic,
            tags.isEmpty ? nil : TagList.json(tags).whole, input.whole, output.whole, updated,
        ]
    }
}
