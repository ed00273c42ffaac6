internal import Common
internal import GRDB

/// A query for scores: the newest first, and those of one millisecond by their ids.
struct ScoreQuery: Sendable {
    var project: Int64
    var conditions: [Condition] = []
    /// Only scores behind this one.
    var cursor: ScoreCursor?
    var limit = 50
    /// Scores before the first of the page, in their order.
    var offset = 0
    /// Whether only scores of traces are meant which Langfuse's first API knows: no corrections.
    var tracesOnly = false
    /// Whether rows have what is known of their traces (`ScoreRow.traceColumns`).
    var readsTraces = false
    /// Only scores that were made by then; nil: all.
    var madeBy: Timestamp?

    /// The query for the scores themselves, as `ScoreRow` reads them.
    func rows() throws(UnsupportedCondition) -> SQLFragment {
        let columns = readsTraces ? "\(ScoreRow.columns), \(ScoreRow.traceColumns)" : ScoreRow.columns
        return SQLFragment("SELECT \(columns)") + from + " WHERE " + (try filter())
            + SQLFragment(" ORDER BY s.timestamp DESC, s.id DESC LIMIT ? OFFSET ?", limit, offset)
    }

    /// The query for their number.
    func count() throws(UnsupportedCondition) -> SQLFragment {
        try "SELECT count(*)" + from + " WHERE " + filter()
    }

    private var from: SQLFragment {
        let table = SQLFragment(" FROM score s INDEXED BY \(index)")
        guard readsTraces || conditions.contains(where: { Self.ofTraces.contains($0.column) }) else { return table }
        return table + " LEFT JOIN trace t ON t.project = s.project AND t.traceId = s.traceId"
    }

    /// The index that leaves SQLite the fewest rows.
    private var index: String {
        let indexes: [(Condition.Column, String)] = [
            (.id, "score_key"), (.traceID, "score_trace"), (.session, "score_session"), (.datasetRunID, "score_run"),
        ]
        return indexes.first { column, _ in conditions.contains { $0.column == column && $0.isNarrow } }?.1
            ?? "score_time"
    }

    private func filter() throws(UnsupportedCondition) -> SQLFragment {
        var parts = [SQLFragment("s.project = ?", project)]
        if tracesOnly { parts.append("s.traceId IS NOT NULL AND s.dataType <> 'CORRECTION'") }
        if let madeBy { parts.append(SQLFragment("s.created <= ?", madeBy)) }
        if let cursor {
            parts.append(
                SQLFragment("(s.timestamp, s.id) < (?, ", cursor.timestamp) + SQLFragment(text: cursor.id) + ")")
        }
        for condition in conditions { parts.append(try fragment(condition)) }
        return parts.conjunction
    }

    private func fragment(_ condition: Condition) throws(UnsupportedCondition) -> SQLFragment {
        switch condition.column {
        case .tags:
            switch condition.test {
            case .anyOf(let tags): return tagged(tags)
            // A score without a trace has none of them.
            case .noneOf(let tags): return "(t.id IS NULL OR NOT " + tagged(tags) + ")"
            case .allOf(let tags): return tags.map { tagged([$0]) }.conjunction
            default: throw UnsupportedCondition(message: "`tags` takes `arrayOptions`")
            }
        default:
            guard let name = Self.columns[condition.column] else {
                throw UnsupportedCondition(message: "column `\(condition.column.rawValue)` is not one of a score's")
            }
            return try condition.fragment(SQLFragment(name))
        }
    }

    private func tagged(_ tags: [String]) -> SQLFragment {
        "t.id IN (" + TraceQuery.traces(with: tags, project: project) + ")"
    }

    /// Columns that are the trace's.
    private static let ofTraces: Set<Condition.Column> = [.tags, .user, .traceName]

    private static let columns: [Condition.Column: String] = [
        .id: "s.id", .name: "s.name", .dataType: "s.dataType", .value: "s.value", .stringValue: "s.stringValue",
        .traceID: "s.traceId", .observationID: "s.observationId", .session: "s.sessionId",
        .datasetRunID: "s.datasetRunId", .source: "s.source", .comment: "s.comment", .metadata: "s.metadata",
        .configID: "s.configId", .queueID: "s.queueId", .author: "NULL", .environment: "s.environment",
        .timestamp: "s.timestamp", .created: "s.created", .updated: "s.updated", .user: "t.user",
        .traceName: "t.name",
    ]
}
