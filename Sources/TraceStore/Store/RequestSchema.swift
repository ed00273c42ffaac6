/// The tables of the request log.
enum RequestSchema {
    /// - `request_term`: every text that rows have, once for each project and property (`TermField`). Rows name it by
    ///   its number. `day` is the last day with a row that has it, counted since 1970.
    /// - `request`: one row per call, narrow, in the order of time (`RequestPlace`), so that a chart reads what lies
    ///   together. `terms` is a `TermList`.
    /// - `request_index`: for each term the places of the rows that have it, in the order of time. A term belongs to
    ///   one project, so a place says enough.
    /// - `request_attempt`: the calls of providers, which only the answer about one row shows.
    static let first = """
        CREATE TABLE request_term(
            id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, field INTEGER NOT NULL, value TEXT NOT NULL,
            day INTEGER NOT NULL);
        CREATE UNIQUE INDEX request_term_key ON request_term(project, field, value);
        CREATE INDEX request_term_day ON request_term(day);
        CREATE TABLE request(
            project INTEGER NOT NULL, place INTEGER NOT NULL, flags INTEGER NOT NULL, status INTEGER NOT NULL,
            latency INTEGER NOT NULL, queueWait INTEGER, firstToken INTEGER, interToken REAL, input INTEGER,
            output INTEGER, cost REAL, retries INTEGER NOT NULL, terms BLOB NOT NULL, cached INTEGER, reasoning INTEGER,
            requestBytes INTEGER NOT NULL, responseBytes INTEGER NOT NULL, counter INTEGER NOT NULL,
            random INTEGER NOT NULL, PRIMARY KEY(project, place)) WITHOUT ROWID;
        CREATE TABLE request_index(
            term INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY(term, place)) WITHOUT ROWID;
        CREATE TABLE request_attempt(
            project INTEGER NOT NULL, place INTEGER NOT NULL, number INTEGER NOT NULL, model TEXT NOT NULL, failure TEXT,
            began INTEGER NOT NULL, ended INTEGER NOT NULL, PRIMARY KEY(project, place, number)) WITHOUT ROWID;
        """
}
