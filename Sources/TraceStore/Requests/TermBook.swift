internal import Common
internal import GRDB

/// The numbers that the writer knows, so that a usual row asks the tables for none. It is right only as long as what it
/// has learnt is committed: a failed transaction and the deletion of terms start it anew.
struct TermBook {
    /// Terms that are remembered. Beyond it all are forgotten, which costs a question each.
    private static let most = 200_000

    private struct Key: Hashable {
        var project: Int64
        var field: UInt32
        var text: UTF8Text
    }

    private var terms: [Key: (id: UInt32, day: Int64)] = [:]
    private var projects: [UTF8Text: Int64] = [:]

    /// The number of a term, which is made if it is new.
    /// - Parameter day: of the row that has it.
    mutating func number(
        of text: String, field: UInt32, project: Int64, day: Int64, _ db: Database
    ) throws -> UInt32 {
        let key = Key(project: project, field: field, text: UTF8Text(text))
        if let known = terms[key], known.day >= day { return known.id }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO request_term(project, field, value, day) VALUES (?, ?, \(WholeText.placeholder), ?)
                ON CONFLICT(project, field, value) DO UPDATE SET day = max(day, excluded.day) RETURNING id, day
                """)
        guard let row = try Row.fetchOne(statement, arguments: [project, Int64(field), text.whole, day]) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a term has no number")
        }
        if terms.count >= Self.most { terms.removeAll(keepingCapacity: true) }
        let id = UInt32(truncatingIfNeeded: row[0] as Int64)
        terms[key] = (id, row[1])
        return id
    }

    /// The number of a project, which is made if it is new.
    mutating func number(ofProject name: String, _ db: Database) throws -> Int64 {
        if let known = projects[name] { return known }
        try db.execute(
            sql: "INSERT INTO project(name) VALUES (\(WholeText.placeholder)) ON CONFLICT DO NOTHING",
            arguments: [name.whole])
        guard let id = try Self.number(ofKnownProject: name, db) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a project has no number")
        }
        projects[name] = id
        return id
    }

    /// The number of a project; nil if it has no rows.
    static func number(ofKnownProject name: String, _ db: Database) throws -> Int64? {
        let statement = try db.cachedStatement(sql: "SELECT id FROM project WHERE name = \(WholeText.placeholder)")
        return try Int64.fetchOne(statement, arguments: [name.whole])
    }

    /// The number of a term; nil if no row has it.
    static func number(of text: String, field: UInt32, project: Int64, _ db: Database) throws -> UInt32? {
        let statement = try db.cachedStatement(
            sql: "SELECT id FROM request_term WHERE project = ? AND field = ? AND value = \(WholeText.placeholder)")
        return try Int64.fetchOne(statement, arguments: [project, Int64(field), text.whole])
            .map { UInt32(truncatingIfNeeded: $0) }
    }
}
