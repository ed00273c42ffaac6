internal import Common
internal import JSON

extension JSONWriter {
    /// A score of the second API.
    /// - Parameter trace: the known properties of its trace, in a list; nil: this is not a list.
    mutating func score(_ score: Score, project: String, trace: ScoreRow.Trace?? = nil) {
        object { writer in
            writer.head(score, project: project)
            // A number makes no sense for a text.
            if score.dataType != .text { writer.member("value", score.value) }
            writer.member("stringValue", score.stringValue)
            writer.details(score)
            writer.annotation(score)
            writer.member("executionTraceId", score.executionTraceID)
            writer.member("traceId", score.traceID)
            writer.member("observationId", score.observationID)
            writer.member("sessionId", score.sessionID)
            writer.member("datasetRunId", score.datasetRunID)
            guard let trace else { return }
            writer.member("trace") { writer in
                guard let trace else { return writer.raw("null") }
                writer.object { writer in
                    writer.member("userId", trace.user)
                    writer.member("tags") { $0.array(trace.tags) { $0.string($1) } }
                    writer.member("environment", trace.environment)
                    writer.member("sessionId", trace.session)
                }
            }
        }
    }

    /// A score of the third API: its value is a number, a truth value or a text.
    mutating func score(_ score: Score, project: String, _ groups: Set<ScorePageRequest.FieldGroup>) {
        object { writer in
            writer.head(score, project: project)
            switch score.dataType {
            case .numeric: writer.member("value", score.value)
            case .boolean: writer.member("value", score.value == 1)
            case .categorical, .text, .correction: writer.member("value", score.stringValue ?? "")
            }
            if groups.contains(.details) { writer.details(score) }
            if groups.contains(.annotation) { writer.annotation(score) }
            if groups.contains(.subject) { writer.member("subject") { $0.subject(of: score) } }
        }
    }

    private mutating func head(_ score: Score, project: String) {
        member("id", score.id)
        member("projectId", project)
        member("name", score.name)
        member("dataType", score.dataType.rawValue)
        member("source", score.source.rawValue)
        member("timestamp", TimeText.iso(score.timestamp))
        member("environment", score.environment)
        member("createdAt", score.created.iso8601)
        member("updatedAt", score.updated.iso8601)
    }

    private mutating func details(_ score: Score) {
        member("comment", score.comment)
        member("configId", score.configID)
        member("metadata") { $0.raw(score.metadata ?? "{}") }
    }

    private mutating func annotation(_ score: Score) {
        member("authorUserId", String?.none)
        member("queueId", score.queueID)
    }

    private mutating func subject(of score: Score) {
        object { writer in
            if let run = score.datasetRunID {
                writer.member("kind", "experiment")
                writer.member("id", run)
            } else if let observation = score.observationID {
                writer.member("kind", "observation")
                writer.member("id", observation)
                if let trace = score.traceID { writer.member("traceId", trace) }
            } else if let session = score.sessionID {
                writer.member("kind", "session")
                writer.member("id", session)
            } else {
                writer.member("kind", "trace")
                writer.member("id", score.traceID)
            }
        }
    }

    /// `meta` of a page by number.
    mutating func pages(page: Int, limit: Int, total: Int) {
        member("meta") { writer in
            writer.object { writer in
                writer.member("page", page)
                writer.member("limit", limit)
                writer.member("totalItems", total)
                writer.member("totalPages", (total + limit - 1) / limit)
            }
        }
    }
}
