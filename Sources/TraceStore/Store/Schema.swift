internal import GRDB

/// The tables of the store. One file, migrated in place.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 observations, traces, tags") { db in try db.execute(sql: first) }
        migrator.registerMigration("2 request log") { db in try db.execute(sql: RequestSchema.first) }
        migrator.registerMigration("3 audit log") { db in try db.execute(sql: AuditSchema.first) }
        migrator.registerMigration("4 scores") { db in try db.execute(sql: ScoreSchema.first) }
        return migrator
    }

    /// Rows are numbered as they come, so the smallest number is the oldest row. Times are milliseconds since 1970.
    /// - `observation`: one row a span, narrow, so that a page of them is read from few pages of the file. Long values
    ///   stand in `content`.
    /// - `tagged`: the index of tags, by `TagHash`. It holds all that the order of a page needs, and a trace's row for
    ///   those that ask for traces.
    /// - `trace`: the properties that the spans of a trace say of the trace.
    private static let first = """
        CREATE TABLE project(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE trace(
            id INTEGER PRIMARY KEY, project INTEGER NOT NULL, traceId TEXT NOT NULL, timestamp INTEGER NOT NULL, name TEXT, user TEXT, session TEXT,
            release TEXT, version TEXT, environment TEXT NOT NULL, public INTEGER NOT NULL, tags TEXT, input TEXT, output TEXT,
            created INTEGER NOT NULL, updated INTEGER NOT NULL);
        CREATE UNIQUE INDEX trace_key ON trace(project, traceId);
        CREATE INDEX trace_time ON trace(project, timestamp);
        CREATE TABLE observation(
            id INTEGER PRIMARY KEY, project INTEGER NOT NULL, traceId TEXT NOT NULL, spanId TEXT NOT NULL, start INTEGER NOT NULL,
            trace INTEGER NOT NULL, "end" INTEGER, parent TEXT, root INTEGER NOT NULL, type TEXT NOT NULL, name TEXT, level TEXT NOT NULL,
            statusMessage TEXT, version TEXT, environment TEXT NOT NULL, release TEXT, user TEXT, session TEXT, traceName TEXT, tags TEXT,
            public INTEGER NOT NULL, model TEXT, modelParameters TEXT, usage TEXT, cost TEXT, totalCost REAL, firstToken INTEGER, promptName TEXT,
            promptVersion INTEGER, created INTEGER NOT NULL, updated INTEGER NOT NULL);
        CREATE UNIQUE INDEX observation_key ON observation(project, traceId, spanId, start);
        CREATE INDEX observation_time ON observation(project, start);
        CREATE INDEX observation_session ON observation(project, session, start) WHERE session IS NOT NULL;
        CREATE TABLE content(observation INTEGER PRIMARY KEY, input TEXT, output TEXT, metadata TEXT);
        CREATE TABLE tagged(
            tag INTEGER NOT NULL, start INTEGER NOT NULL, observation INTEGER NOT NULL, trace INTEGER NOT NULL,
            PRIMARY KEY(tag, start, observation)) WITHOUT ROWID;
        """
}
