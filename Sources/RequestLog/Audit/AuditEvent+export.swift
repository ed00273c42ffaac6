internal import Common
internal import JSON

extension AuditEvent: ShownRow {
    static let columns = ["id", "time", "kind", "actor", "project_id", "account", "user", "subject", "details"]

    /// The details stand in one column, as JSON.
    var fields: [String?] {
        [
            id.description, time.iso8601, kind.rawValue, actor, project, account, user, subject,
            details.json,
        ]
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, text) in zip(Self.columns, fields.dropLast()) { writer.member(name, text) }
            writer.member("details") { $0.raw(details.json) }
        }
    }
}
