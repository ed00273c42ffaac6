internal import Common
internal import FoundationEssentials
internal import GRDB
internal import RequestLog

/// Goes over the audit rows of some projects, the newest first. A filter on one kind reads the rows of that kind alone;
/// all else of a filter is for the caller to look at.
struct AuditScan {
    private let rows: StatementRows?
    private let projects: [Int64]
    /// Rows that were read.
    private(set) var looks = 0

    /// - Parameters:
    ///   - cursor: only rows before it.
    ///   - projects: by number.
    init(_ filter: AuditFilter, before cursor: PageCursor?, of projects: [Int64], _ db: Database) throws {
        self.projects = projects
        let first = filter.from.map { InsertionID.first(of: $0).bytes } ?? []
        var end = filter.to.map { InsertionID.first(of: $0).bytes } ?? [UInt8](repeating: .max, count: 16)
        if let cursor {
            let place = InsertionID.bytes(cursor.place) + InsertionID.bytes(cursor.rest ?? 0)
            if place.lexicographicallyPrecedes(end) { end = place }
        }
        guard !projects.isEmpty else {
            rows = nil
            return
        }
        let kindCondition = filter.onlyKind == nil ? " AND ?1 IS NOT NULL" : " AND kind = ?1"
        let parts = projects.map { project in
            """
            SELECT id, project, kind, actor, account, user, subject, details FROM audit
            WHERE project = \(project) AND id >= ?2 AND id < ?3\(kindCondition)
            """
        }
        let statement = try db.makeStatement(sql: parts.joined(separator: " UNION ALL ") + " ORDER BY id DESC")
        let kind = filter.onlyKind?.rawValue ?? ""
        try statement.setArguments([kind, Data(first), Data(end)])
        rows = StatementRows(statement)
    }

    /// - Parameter ownProject: the name of the one project that is not the operator's.
    /// - Returns: the next row, and the cursor of the page behind it; nil: there are no further ones.
    mutating func next(ownProject: String) throws -> (AuditEvent, PageCursor)? {
        guard let rows, try rows.next() else { return nil }
        looks += 1
        guard let id = InsertionID(bytes: rows.bytes(0)) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an audit row has no id")
        }
        let event = AuditEvent(
            id: id, kind: AuditKind(rawValue: rows.text(2) ?? ""), actor: rows.text(3) ?? "",
            project: rows.integer(1) == AuditSchema.operatorsProject ? nil : ownProject, account: rows.text(4),
            user: rows.text(5), subject: rows.text(6), details: AuditDetails(json: rows.text(7) ?? "{}"))
        return (event, PageCursor(place: id.halves.high, rest: id.halves.low))
    }
}
