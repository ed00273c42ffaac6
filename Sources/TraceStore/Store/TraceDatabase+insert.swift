internal import Common
internal import GRDB

extension TraceDatabase {
    /// Writes rows in one transaction. A row that is there already, by project, trace, span and start, is replaced; it
    /// keeps the time at which it was made.
    func insert(_ rows: [Observation], project: Int64) async throws {
        try await write { db in
            var writer = try RowWriter(db, project: project)
            for row in rows { try writer.write(row) }
        }
    }

    /// Takes a row out of the index of tags.
    static func untag(_ id: Int64, start: Timestamp, tags: String?, project: Int64, _ db: Database) throws {
        guard let tags else { return }
        let statement = try db.cachedStatement(
            sql: "DELETE FROM tagged WHERE tag = ? AND start = ? AND observation = ?")
        for tag in TagList.tags(tags) {
            try statement.execute(arguments: [TagHash.of(tag, project: project), start, id])
        }
    }
}
