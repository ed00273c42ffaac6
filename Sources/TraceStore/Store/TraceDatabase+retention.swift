internal import Common
internal import GRDB

extension TraceDatabase {
    /// Rows that one transaction deletes, so that no write waits long behind it.
    private static let batch = 500

    /// Deletes the oldest rows, one batch of them.
    /// - Parameter cutoff: only rows that were made before this.
    /// - Returns: the number of rows that went. 0: nothing is left to delete.
    func deleteOldest(before cutoff: Timestamp = .distantFuture) async throws -> Int {
        try await write { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT id, project, start, tags, trace, traceId FROM (SELECT * FROM observation ORDER BY id LIMIT \(Self.batch)) WHERE created < ?
                    """, arguments: [cutoff])
            for row in rows { try Self.delete(row, db) }
            return rows.count
        }
    }

    /// The time at which the oldest row was made; nil: there is none.
    func oldest() async throws -> Timestamp? {
        try await read { db in try Timestamp.fetchOne(db, sql: "SELECT created FROM observation ORDER BY id LIMIT 1") }
    }

    /// Bytes of the file's pages that hold something. SQLite uses the others again, and never gives them back.
    func usedBytes() async throws -> Int {
        try await read { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            return (pages - free) * (try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0)
        }
    }

    private static func delete(_ row: Row, _ db: Database) throws {
        let id: Int64 = row[0]
        try untag(id, start: row[2], tags: row[3], project: row[1], db)
        try db.cachedStatement(sql: "DELETE FROM content WHERE observation = ?").execute(arguments: [id])
        try db.cachedStatement(sql: "DELETE FROM observation WHERE id = ?").execute(arguments: [id])
        // The trace goes with its last span, and its scores with it.
        try db.cachedStatement(
            sql: """
                DELETE FROM trace WHERE id = ?1 AND NOT EXISTS (
                    SELECT 1 FROM observation o WHERE o.project = trace.project AND o.traceId = trace.traceId)
                """
        ).execute(arguments: [row[4] as Int64])
        guard db.changesCount > 0 else { return }
        try db.cachedStatement(sql: "DELETE FROM score WHERE project = ? AND traceId = ?")
            .execute(arguments: [row[1] as Int64, row[5] as DatabaseValue])
    }
}
