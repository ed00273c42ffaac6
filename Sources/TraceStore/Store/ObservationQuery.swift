internal import Common
internal import GRDB

/// A query for rows: the newest first, and those of one millisecond by their row, the newest row first.
///
/// Langfuse orders those of one millisecond by a hash of the trace id. Clients cannot tell: to them the cursor is
/// opaque.
struct ObservationQuery: Sendable {
    var project: Int64
    var conditions: [Condition] = []
    /// Only rows behind this one.
    var cursor: ObservationCursor?
    var limit = 50
    /// Rows before the first of the page, in their order: the older API's pages by number.
    var offset = 0
    /// Only rows that were made by then; nil: all. For rows that a test wants to be seen late.
    var madeBy: Timestamp?
    /// Whether the long columns are read too.
    var readsContent = false

    /// The index with which SQLite begins: the one that leaves it the fewest rows.
    private enum Start {
        case traces
        /// By one index entry a tag: rows that have any of them.
        case tags([String])
        case session
        case time
    }

    /// The query for the rows themselves, as `ObservationRow` reads them.
    func rows() throws(UnsupportedCondition) -> SQLFragment {
        let content: SQLFragment = readsContent ? "c.input, c.output, c.metadata" : "NULL, NULL, NULL"
        var query = "SELECT " + SQLFragment("\(ObservationRow.columns), ") + content
        query +=
            try from() + (readsContent ? " LEFT JOIN content c ON c.observation = o.id" : "") + " WHERE " + filter()
        let order: SQLFragment =
            isByTag ? " ORDER BY g.start DESC, g.observation DESC" : " ORDER BY o.start DESC, o.id DESC"
        return query + order + SQLFragment(" LIMIT ? OFFSET ?", limit, offset)
    }

    /// The query for their number.
    func count() throws(UnsupportedCondition) -> SQLFragment {
        try "SELECT count(*)" + from() + " WHERE " + filter()
    }

    private var start: Start {
        if conditions.contains(where: { $0.column == .traceID && $0.isNarrow }) { return .traces }
        for condition in conditions where condition.column == .tags {
            switch condition.test {
            case .anyOf(let tags): return .tags(tags)
            case .allOf(let tags) where !tags.isEmpty: return .tags([tags[0]])
            default: continue
            }
        }
        return conditions.contains { $0.column == .session && $0.isNarrow } ? .session : .time
    }

    private var isByTag: Bool { if case .tags = start { true } else { false } }

    private func from() -> SQLFragment {
        switch start {
        case .traces: return " FROM observation o INDEXED BY observation_key"
        case .session: return " FROM observation o INDEXED BY observation_session"
        case .time: return " FROM observation o INDEXED BY observation_time"
        case .tags(let tags):
            // One tag's entries are in the page's order as they stand; those of several are put in order, and each row
            // taken once.
            guard !isInOrder(tags) else { return " FROM tagged g CROSS JOIN observation o ON o.id = g.observation" }
            var rows =
                "SELECT start, observation FROM tagged g WHERE tag IN " + .list(hashes(tags)) + " AND "
                + window("g.start").conjunction
            if let own = OwnTag.rows("o.start, o.id", with: tags, project: project) {
                rows += " UNION " + own + " AND " + window("o.start").conjunction
            }
            return " FROM (SELECT DISTINCT start, observation FROM (" + rows
                + ")) g CROSS JOIN observation o ON o.id = g.observation"
        }
    }

    /// Whether one tag alone is asked for, and the index has an entry for each of its rows.
    private func isInOrder(_ tags: [String]) -> Bool { tags.count == 1 && OwnTag.traceID(in: tags[0]) == nil }

    private func filter() throws(UnsupportedCondition) -> SQLFragment {
        var parts = [SQLFragment("o.project = ?", project)]
        var rest = conditions
        if case .tags(let tags) = start {
            // The index has answered it already, unless there are further tags.
            if let index = rest.firstIndex(where: { $0.isAnswered(by: tags) }) { rest.remove(at: index) }
            if isInOrder(tags) { parts.append(SQLFragment("g.tag = ?", TagHash.of(tags[0], project: project))) }
            parts += window("g.start")
            if let cursor { parts.append(SQLFragment("(g.start, g.observation) < (?, ?)", cursor.start, cursor.row)) }
        } else if let cursor {
            parts.append(SQLFragment("(o.start, o.id) < (?, ?)", cursor.start, cursor.row))
        }
        if let madeBy { parts.append(SQLFragment("o.created <= ?", madeBy)) }
        for condition in rest { parts.append(try fragment(condition)) }
        return parts.conjunction
    }

    /// The bounds on the start, on another column that has it too.
    private func window(_ column: String) -> [SQLFragment] {
        let bounds = conditions.compactMap { condition in
            condition.column == .start ? try? condition.fragment(SQLFragment(column)) : nil
        }
        return bounds.isEmpty ? ["1"] : bounds
    }

    private func fragment(_ condition: Condition) throws(UnsupportedCondition) -> SQLFragment {
        switch condition.column {
        case .tags:
            switch condition.test {
            case .anyOf(let tags): return has(anyOf: tags)
            case .noneOf(let tags): return "NOT " + has(anyOf: tags)
            case .allOf(let tags): return tags.map { has(anyOf: [$0]) }.conjunction
            case .isNull(let value): return value ? "o.tags IS NULL" : "o.tags IS NOT NULL"
            default: throw UnsupportedCondition(message: "`tags` takes `arrayOptions`")
            }
        case .bookmarked: return try condition.fragment("0")
        case .input, .output, .metadata:
            return try condition.fragment(
                SQLFragment("(SELECT x.\(condition.column.rawValue) FROM content x WHERE x.observation = o.id)"))
        default:
            guard let name = Self.names[condition.column] else {
                throw UnsupportedCondition(
                    message: "column `\(condition.column.rawValue)` is not one of an observation's")
            }
            return try condition.fragment(SQLFragment(name))
        }
    }

    private func has(anyOf tags: [String]) -> SQLFragment {
        let indexed =
            "EXISTS (SELECT 1 FROM tagged x WHERE x.start = o.start AND x.observation = o.id AND x.tag IN "
            + .list(hashes(tags)) + ")"
        return OwnTag.condition(tags).map { "(" + indexed + " OR " + $0 + ")" } ?? indexed
    }

    private func hashes(_ tags: [String]) -> [Int64] { tags.map { TagHash.of($0, project: project) } }

    private static let names: [Condition.Column: String] = [
        .id: "o.spanId", .traceID: "o.traceId", .parentID: "o.parent", .type: "o.type", .name: "o.name",
        .level: "o.level",
        .statusMessage: "o.statusMessage", .version: "o.version", .environment: "o.environment", .release: "o.release",
        .user: "o.user",
        .session: "o.session", .traceName: "o.traceName", .model: "o.model", .promptName: "o.promptName",
        .start: "o.start", .end: "o.\"end\"",
        .created: "o.created", .updated: "o.updated", .isRoot: "o.root", .isPublic: "o.public",
        .latency: "((o.\"end\" - o.start) / 1000.0)",
        .totalCost: "o.totalCost",
    ]
}

extension Condition {
    /// Whether all rows that have one of these tags keep to it.
    func isAnswered(by tags: [String]) -> Bool {
        switch test {
        case .anyOf(let wanted), .allOf(let wanted): column == .tags && wanted == tags
        default: false
        }
    }
}
