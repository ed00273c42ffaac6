internal import Common
internal import FoundationEssentials
internal import GRDB
internal import RequestLog

/// The audit log in the trace store's file.
struct AuditDatabase: AuditLogStore {
    /// Rows that one page looks at.
    static let pageLooks = 20_000
    /// Rows that one transaction deletes, so that no write waits long behind it.
    private static let batch = 500

    let database: RequestDatabase
    private let looks: Int

    /// - Parameters:
    ///   - database: the request log in the same file.
    ///   - looks: the number of rows that one page looks at; for tests.
    init(database: RequestDatabase, looks: Int = Self.pageLooks) {
        self.database = database
        self.looks = looks
    }

    func add(_ events: [AuditEvent]) async throws {
        guard !events.isEmpty else { return }
        try await database.write { db in
            var book = TermBook()
            for event in events {
                let project = try event.project.map { try book.number(ofProject: $0, db) }
                try Self.insert(event, project: project ?? AuditSchema.operatorsProject, in: db)
            }
        }
    }

    private static func insert(_ event: AuditEvent, project: Int64, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO audit(project, id, kind, actor, account, user, subject, details)
                VALUES (?, CAST(? AS BLOB), ?, ?, ?, ?, ?, ?)
                """)
        var values = StatementValues()
        values.add(project)
        values.add(bytes: event.id.bytes)
        for text in [event.kind.rawValue, event.actor, event.account, event.user, event.subject, event.details.json] {
            values.add(text)
        }
        try values.execute(statement)
    }

    func page(
        _ filter: AuditFilter, after cursor: PageCursor?, limit: Int, for asker: LogAsker
    ) async throws -> RowPage<AuditEvent> {
        let looks = looks
        return try await database.read { db in
            var projects = try TermBook.number(ofKnownProject: asker.project, db).map { [$0] } ?? []
            if asker.isOperator { projects.append(AuditSchema.operatorsProject) }
            var scan = try AuditScan(filter, before: cursor, of: projects, db)
            var page = RowPage<AuditEvent>(rows: [], next: nil)
            while let (event, place) = try scan.next(ownProject: asker.project) {
                if filter.holds(event) {
                    // One more tells whether there are further rows.
                    guard page.rows.count < limit else { return page }
                    page.rows.append(event)
                }
                page.next = place
                if scan.looks >= looks { return page }
            }
            page.next = nil
            return page
        }
    }

    /// Deletes the oldest rows, one batch of them.
    /// - Parameter cutoff: only rows of before this.
    /// - Returns: the number of rows that went. 0: nothing is left to delete.
    func deleteOldest(before cutoff: Timestamp = .distantFuture) async throws -> Int {
        try await database.write { db in
            let end = InsertionID.first(of: cutoff).bytes
            let ids = try Data.fetchAll(
                db.cachedStatement(sql: "SELECT id FROM audit WHERE id < ? ORDER BY id LIMIT ?"),
                arguments: [Data(end), Self.batch])
            guard let last = ids.last else { return 0 }
            // The trigger lets rows before the end go: the last one too, since the end is longer.
            try db.execute(sql: "UPDATE audit_end SET id = max(id, ?)", arguments: [last + [0]])
            try db.execute(sql: "DELETE FROM audit WHERE id <= ?", arguments: [last])
            return db.changesCount
        }
    }
}
