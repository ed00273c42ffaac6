internal import Common
internal import GRDB

/// A query for traces, a page by its number. It is the older API's: deep pages cost what lies before them.
struct TraceQuery: Sendable {
    /// The columns by which pages may be ordered.
    enum Order: String, Sendable, CaseIterable {
        case id, timestamp, name, userId, release, version, `public`, bookmarked, sessionId
    }

    var project: Int64
    var conditions: [Condition] = []
    var order = Order.timestamp
    var isAscending = false
    var limit = 50
    /// From 1.
    var page = 1
    /// Only traces that were made by then; nil: all.
    var madeBy: Timestamp?

    func rows() throws(UnsupportedCondition) -> SQLFragment {
        let direction = isAscending ? "ASC" : "DESC"
        return SQLFragment("SELECT \(TraceRow.columns)") + from + " WHERE " + (try filter())
            + SQLFragment(
                " ORDER BY \(Self.names[order] ?? "t.timestamp") \(direction), t.id \(direction) LIMIT ? OFFSET ?",
                limit, (page - 1) * limit)
    }

    func count() throws(UnsupportedCondition) -> SQLFragment {
        try "SELECT count(*)" + from + " WHERE " + filter()
    }

    /// The tags by whose index SQLite begins, and the condition that names them. Without one it begins with the times.
    private var start: (tags: [String], condition: Condition)? {
        if isByID { return nil }
        for condition in conditions where condition.column == .tags {
            switch condition.test {
            case .anyOf(let tags): return (tags, condition)
            case .allOf(let tags) where !tags.isEmpty: return ([tags[0]], condition)
            default: continue
            }
        }
        return nil
    }

    private var isByID: Bool {
        conditions.contains { condition in
            switch (condition.column, condition.test) {
            case (.id, .anyOf), (.id, .equals), (.traceID, .anyOf), (.traceID, .equals): true
            default: false
            }
        }
    }

    private var from: SQLFragment {
        if isByID { return " FROM trace t INDEXED BY trace_key" }
        guard let tags = start?.tags else { return " FROM trace t INDEXED BY trace_time" }
        return " FROM (SELECT DISTINCT trace FROM (" + Self.traces(with: tags, project: project)
            + ")) g CROSS JOIN trace t ON t.id = g.trace"
    }

    private func filter() throws(UnsupportedCondition) -> SQLFragment {
        var parts = [SQLFragment("t.project = ?", project)]
        if let madeBy { parts.append(SQLFragment("t.created <= ?", madeBy)) }
        var rest = conditions
        if let start, let index = rest.firstIndex(where: { $0.isAnswered(by: start.tags) }) { rest.remove(at: index) }
        for condition in rest { parts.append(try fragment(condition)) }
        return parts.conjunction
    }

    private func fragment(_ condition: Condition) throws(UnsupportedCondition) -> SQLFragment {
        switch condition.column {
        case .tags:
            switch condition.test {
            case .anyOf(let tags): return tagged(tags, "IN")
            case .noneOf(let tags): return tagged(tags, "NOT IN")
            case .allOf(let tags): return tags.map { tagged([$0], "IN") }.conjunction
            default: throw UnsupportedCondition(message: "`tags` takes `arrayOptions`")
            }
        case .bookmarked: return try condition.fragment("0")
        default:
            guard let name = Self.columns[condition.column] else {
                throw UnsupportedCondition(message: "column `\(condition.column.rawValue)` is not one of a trace's")
            }
            return try condition.fragment(SQLFragment(name))
        }
    }

    /// The tags of a trace are those of its spans.
    private func tagged(_ tags: [String], _ relation: String) -> SQLFragment {
        SQLFragment("t.id \(relation) (") + Self.traces(with: tags, project: project) + ")"
    }

    /// The numbers of traces that have one of these tags.
    static func traces(with tags: [String], project: Int64) -> SQLFragment {
        let hashes = tags.map { TagHash.of($0, project: project) }
        let indexed = "SELECT trace FROM tagged WHERE tag IN " + .list(hashes)
        return OwnTag.rows("o.trace", with: tags, project: project).map { indexed + " UNION " + $0 } ?? indexed
    }

    private static let names: [Order: String] = [
        .id: "t.traceId", .timestamp: "t.timestamp", .name: "t.name", .userId: "t.user", .release: "t.release",
        .version: "t.version",
        .public: "t.public", .bookmarked: "0", .sessionId: "t.session",
    ]
    private static let columns: [Condition.Column: String] = [
        .id: "t.traceId", .traceID: "t.traceId", .name: "t.name", .traceName: "t.name", .user: "t.user",
        .session: "t.session", .release: "t.release",
        .version: "t.version", .environment: "t.environment", .isPublic: "t.public", .timestamp: "t.timestamp",
        .created: "t.created",
        .updated: "t.updated",
    ]
}
