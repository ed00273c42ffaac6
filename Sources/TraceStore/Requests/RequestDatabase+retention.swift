internal import Common
internal import GRDB

extension RequestDatabase {
    /// Rows that one transaction deletes, so that no write waits long behind it.
    private static let batch = 500

    /// Deletes the oldest rows, one batch of them.
    /// - Parameter cutoff: only rows of requests that came in before this.
    /// - Returns: the number of rows that went. 0: nothing is left to delete.
    func deleteOldest(before cutoff: Timestamp = .distantFuture) async throws -> Int {
        try await database.write { db in
            let end = RequestPlace.start(of: cutoff)
            var oldest: [(place: Int64, project: Int64)] = []
            for project in try Self.projects(db) {
                let places = try Int64.fetchAll(
                    db.cachedStatement(
                        sql: "SELECT place FROM request WHERE project = ? AND place < ? ORDER BY place LIMIT ?"),
                    arguments: [project, end, Self.batch])
                oldest += places.map { ($0, project) }
            }
            oldest.sort { $0.place < $1.place }
            for row in oldest.prefix(Self.batch) { try RequestRows.delete(place: row.place, project: row.project, db) }
            return min(oldest.count, Self.batch)
        }
    }

    /// The time at which the oldest request came in; nil: there is none.
    func oldest() async throws -> Timestamp? {
        try await database.read { try Self.oldest($0).map { RequestPlace.time(of: $0) } }
    }

    /// Deletes terms that no row has any longer, one batch of them.
    /// - Returns: the number of rows that went.
    func deleteUnusedTerms(now: Timestamp) async throws -> Int {
        try await database.write { db in
            // A row written later may be older than this day, and has its terms anew then.
            let place = try Self.oldest(db) ?? RequestPlace.start(of: now)
            let statement = try db.cachedStatement(
                sql: """
                    DELETE FROM request_term WHERE id IN (SELECT id FROM request_term WHERE day < ? LIMIT \(Self.batch))
                    """)
            try statement.execute(arguments: [RequestPlace.day(of: place)])
            if db.changesCount > 0 { forgetTerms() }
            return db.changesCount
        }
    }

    private static func oldest(_ db: Database) throws -> Int64? {
        let statement = try db.cachedStatement(
            sql: "SELECT place FROM request WHERE project = ? ORDER BY place LIMIT 1")
        return try projects(db).compactMap { try Int64.fetchOne(statement, arguments: [$0]) }.min()
    }

    private static func projects(_ db: Database) throws -> [Int64] {
        try Int64.fetchAll(db.cachedStatement(sql: "SELECT id FROM project"))
    }
}
