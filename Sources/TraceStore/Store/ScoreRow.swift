internal import Common
internal import GRDB

/// Reads a row of the table of scores, as a cursor stands on it (``WholeText``).
enum ScoreRow {
    /// The properties that a list shows of a score's trace.
    struct Trace: Sendable {
        var user: String?
        var tags: [String]
        var environment: String?
        var session: String?
    }

    /// The columns that `score` reads, in its order.
    static let columns = """
        s.id, s.timestamp, s.name, s.dataType, s.value, s.stringValue, s.traceId, s.observationId, s.sessionId, \
        s.datasetRunId, s.source, s.comment, s.metadata, s.configId, s.queueId, s.executionTraceId, s.environment, \
        s.created, s.updated
        """
    /// The columns that `trace` reads, behind those.
    static let traceColumns = "t.user, t.tags, t.environment, t.session"

    static func score(_ row: Row) -> Score {
        var score = Score()
        (score.id, score.timestamp, score.name) = (row.text(0) ?? "", row[1], row.text(2) ?? "")
        score.dataType = row.text(3).flatMap(Score.DataType.init) ?? .numeric
        (score.value, score.stringValue) = (row[4], row.text(5))
        (score.traceID, score.observationID) = (row.text(6), row.text(7))
        (score.sessionID, score.datasetRunID) = (row.text(8), row.text(9))
        score.source = row.text(10).flatMap(Score.Source.init) ?? .api
        (score.comment, score.metadata) = (row.text(11), row.text(12))
        (score.configID, score.queueID, score.executionTraceID) = (row.text(13), row.text(14), row.text(15))
        (score.environment, score.created, score.updated) = (row.text(16) ?? "", row[17], row[18])
        return score
    }

    static func trace(_ row: Row) -> Trace {
        Trace(
            user: row.text(19), tags: row.text(20).map(TagList.tags) ?? [], environment: row.text(21),
            session: row.text(22))
    }
}
