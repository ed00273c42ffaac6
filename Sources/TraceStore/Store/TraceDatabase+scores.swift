internal import Common
internal import GRDB

extension TraceDatabase {
    /// Scores that one transaction deletes, so that no write waits long behind it.
    private static let scoreBatch = 500

    private static let scoreColumns = [
        "project", "id", "timestamp", "name", "dataType", "value", "stringValue", "traceId", "observationId",
        "sessionId", "datasetRunId", "source", "comment", "metadata", "configId", "queueId", "executionTraceId",
        "environment", "updated",
    ]
    private static let writeScore = """
        INSERT INTO score(\(scoreColumns.joined(separator: ", ")), created)
        VALUES (\(scoreColumns.map { _ in "?" }.joined(separator: ", ")), ?)
        ON CONFLICT(project, id) DO UPDATE SET
        \(scoreColumns.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
        """

    /// Writes scores in one transaction. A score that is there already, by project and id, is replaced; it keeps the
    /// time at which it was made.
    func insert(_ scores: [Score], project: Int64) async throws {
        try await write { db in
            let statement = try db.cachedStatement(sql: Self.writeScore)
            var values = StatementValues()
            for score in scores {
                values.removeAll()
                values.add(project)
                values.add(score.id)
                values.add(score.timestamp)
                values.add(score.name)
                values.add(score.dataType.rawValue)
                values.add(score.value)
                for text in [
                    score.stringValue, score.traceID, score.observationID, score.sessionID, score.datasetRunID,
                    score.source.rawValue, score.comment, score.metadata, score.configID, score.queueID,
                    score.executionTraceID, score.environment,
                ] {
                    values.add(text)
                }
                values.add(score.updated)
                values.add(score.created)
                try values.execute(statement)
            }
        }
    }

    /// Deletes a score of a project; one that is not there is no error.
    func deleteScore(_ id: String, project: Int64) async throws {
        let condition = SQLFragment("project = ? AND id = ", project) + SQLFragment(text: id)
        try await write { db in
            try db.execute(sql: "DELETE FROM score WHERE \(condition.sql)", arguments: condition.statementArguments)
        }
    }

    /// Deletes the oldest scores, one batch of them.
    /// - Parameter cutoff: only scores that were made before this.
    /// - Returns: the number of rows that went. 0: nothing is left to delete.
    func deleteOldestScores(before cutoff: Timestamp = .distantFuture) async throws -> Int {
        try await write { db in
            try db.execute(
                sql: """
                    DELETE FROM score WHERE number IN
                    (SELECT number FROM score WHERE created < ? ORDER BY created LIMIT \(Self.scoreBatch))
                    """, arguments: [cutoff])
            return db.changesCount
        }
    }

    /// The time at which the oldest score was made; nil: there is none.
    func oldestScore() async throws -> Timestamp? {
        try await read { db in try Timestamp.fetchOne(db, sql: "SELECT min(created) FROM score") }
    }
}
