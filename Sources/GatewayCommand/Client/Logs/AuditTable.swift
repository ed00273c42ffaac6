internal import Common
internal import JSON

/// One audit row as the gateway tells it.
struct AuditRow: ListedRow {
    static let path = "/logs/audit"

    let id, time, kind, actor: String
    let subject, project, account, user: String?
    /// As it came.
    let details: String
    let json: String

    init?(_ object: JSONObject) {
        guard let id = object.text("id"), let time = object.text("time"), let kind = object.text("kind"),
            let actor = object.text("actor"), let member = object.member("details"), member.kind == .object
        else { return nil }
        (self.id, self.time, self.kind, self.actor) = (id, time, kind, actor)
        (subject, project) = (object.text("subject"), object.text("project_id"))
        (account, user) = (object.text("account"), object.text("user"))
        details = String(decoding: object.bytes[member.value], as: UTF8.self)
        json = object.source
    }
}

/// Audit rows as lines.
struct AuditTable: RowTable {
    private var kindWidth = "rules.reloaded".count
    private var subjectWidth = "SUBJECT".count
    /// A longer subject does not move the other columns.
    private static let widestSubject = 40

    mutating func head(above rows: [AuditRow]) -> String {
        makeRoom(for: rows)
        return columns(time: "TIME", kind: "KIND", subject: "SUBJECT", rest: "ACTOR")
    }

    mutating func makeRoom(for rows: [AuditRow]) {
        kindWidth = max(kindWidth, rows.map { $0.kind.count }.max() ?? 0)
        subjectWidth = max(subjectWidth, min(rows.map { Self.subject(of: $0).count }.max() ?? 0, Self.widestSubject))
    }

    func line(_ row: AuditRow) -> String {
        var details = [row.actor.escapedForTerminal]
        for (name, value) in [("project", row.project), ("account", row.account), ("user", row.user)] {
            if let value { details.append("\(name)=\(value.shownAsValue)") }
        }
        details.append(row.details.escapedForTerminal)
        return columns(
            time: row.time.escapedForTerminal, kind: row.kind.escapedForTerminal, subject: Self.subject(of: row),
            rest: details.joined(separator: " "))
    }

    private static func subject(of row: AuditRow) -> String { row.subject.map(\.escapedForTerminal) ?? "-" }

    private func columns(time: String, kind: String, subject: String, rest: String) -> String {
        [time.padded(to: 24), kind.padded(to: kindWidth), subject.padded(to: subjectWidth), rest].joined(
            separator: "  ")
    }
}
