/// The table of scores.
enum ScoreSchema {
    /// - `score`: one row a score, by its project and id. `value` is its number, `stringValue` its text: the category,
    ///   the word for a truth value, the text or the correction.
    static let first = """
        CREATE TABLE score(
            number INTEGER PRIMARY KEY, project INTEGER NOT NULL, id TEXT NOT NULL, timestamp INTEGER NOT NULL,
            name TEXT NOT NULL, dataType TEXT NOT NULL, value REAL NOT NULL, stringValue TEXT, traceId TEXT,
            observationId TEXT, sessionId TEXT, datasetRunId TEXT, source TEXT NOT NULL, comment TEXT, metadata TEXT,
            configId TEXT, queueId TEXT, executionTraceId TEXT, environment TEXT NOT NULL, created INTEGER NOT NULL,
            updated INTEGER NOT NULL);
        CREATE UNIQUE INDEX score_key ON score(project, id);
        CREATE INDEX score_time ON score(project, timestamp, id);
        CREATE INDEX score_trace ON score(project, traceId, timestamp, id) WHERE traceId IS NOT NULL;
        CREATE INDEX score_session ON score(project, sessionId, timestamp, id) WHERE sessionId IS NOT NULL;
        CREATE INDEX score_run ON score(project, datasetRunId, timestamp, id) WHERE datasetRunId IS NOT NULL;
        CREATE INDEX score_age ON score(created);
        """
}
