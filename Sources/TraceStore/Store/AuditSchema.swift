/// The tables of the audit log.
enum AuditSchema {
    /// The project of the operator's rows; those of others have numbers from 1 on.
    static let operatorsProject: Int64 = 0

    /// - `audit`: one row an event, in the order of ids and so of time. Nothing changes a row that is there, or takes
    ///   its place, whichever program opens the file.
    /// - `audit_end`: rows with a lower id may be deleted, and they alone: those that are older than is kept.
    static let first = """
        CREATE TABLE audit(
            project INTEGER NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, account TEXT, user TEXT,
            subject TEXT, details TEXT NOT NULL, PRIMARY KEY(project, id)) WITHOUT ROWID;
        CREATE INDEX audit_kind ON audit(project, kind, id);
        CREATE UNIQUE INDEX audit_id ON audit(id);
        CREATE TABLE audit_end(id BLOB NOT NULL);
        INSERT INTO audit_end(id) VALUES (x'');
        CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
            WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id)
            BEGIN SELECT RAISE(IGNORE); END;
        CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
        CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
            WHEN old.id >= (SELECT max(id) FROM audit_end)
            BEGIN SELECT RAISE(ABORT, 'audit rows are deleted when they are older than AUDIT_LOG_MAX_AGE, no earlier'); END;
        """
}
