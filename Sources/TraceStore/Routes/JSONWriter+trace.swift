internal import Common
internal import JSON

extension JSONWriter {
    /// A trace of a list: its observations and scores are their ids.
    mutating func trace(
        _ trace: TraceRow, spans: [Observation], scores: [Score], project: String,
        groups: Set<TraceRequest.FieldGroup>
    ) {
        object { writer in
            writer.head(trace, spans: spans, project: project, groups: groups)
            writer.metrics(of: spans, isWanted: groups.contains(.metrics))
            writer.member("scores") { $0.array(scores) { $0.string($1.id) } }
            writer.member("observations") { writer in
                writer.array(groups.contains(.observations) ? spans : []) { $0.string($1.id) }
            }
        }
    }

    /// A trace by itself: its observations and scores are whole.
    mutating func fullTrace(
        _ trace: TraceRow, spans: [Observation], scores: [Score], project: String,
        groups: Set<TraceRequest.FieldGroup>
    ) {
        object { writer in
            writer.head(trace, spans: spans, project: project, groups: groups)
            writer.metrics(of: spans, isWanted: groups.contains(.metrics))
            writer.member("scores") { writer in
                writer.array(scores) { $0.score($1, project: project) }
            }
            writer.member("observations") { writer in
                writer.array(groups.contains(.observations) ? spans : []) { $0.fullObservation($1, project: project) }
            }
        }
    }

    /// A trace of a session, without what hangs on it.
    mutating func traceAlone(_ trace: TraceRow, _ spans: [Observation], project: String) {
        object { $0.head(trace, spans: spans, project: project, groups: [.core, .io]) }
    }

    /// The members of a session.
    mutating func session(_ session: SessionRow, project: String) {
        member("id", session.id)
        member("createdAt", session.created.iso8601)
        member("projectId", project)
        member("environment", session.environment)
    }

    private mutating func head(
        _ trace: TraceRow, spans: [Observation], project: String, groups: Set<TraceRequest.FieldGroup>
    ) {
        member("id", trace.id)
        member("externalId", String?.none)
        member("timestamp", trace.timestamp.iso8601)
        member("name", trace.name)
        member("userId", trace.user)
        member("sessionId", trace.session)
        member("release", trace.release)
        member("version", trace.version)
        member("projectId", project)
        member("environment", trace.environment)
        member("public", trace.isPublic)
        member("bookmarked", false)
        member("tags") { $0.array(trace.tags) { $0.string($1) } }
        member("createdAt", trace.created.iso8601)
        member("updatedAt", trace.updated.iso8601)
        member("htmlPath", "/project/\(project)/traces/\(trace.id)")
        if groups.contains(.io) {
            let root = spans.first { $0.parentID == nil } ?? spans.first
            member("input") { $0.json(orText: trace.input ?? root?.input) }
            member("output") { $0.json(orText: trace.output ?? root?.output) }
            member("metadata") { $0.raw(root?.metadata ?? "{}") }
        }
    }

    /// -1 says that they were not asked for.
    private mutating func metrics(of spans: [Observation], isWanted: Bool) {
        member("totalCost", isWanted ? spans.reduce(0) { $0 + ($1.totalCost ?? 0) } : -1)
        member("latency", isWanted ? Self.seconds(spans) : -1)
    }

    /// From the first start to the last end.
    private static func seconds(_ spans: [Observation]) -> Double {
        guard let first = spans.map(\.start).min(), let last = spans.compactMap(\.end).max() else { return 0 }
        return Double(last.milliseconds(since: first)) / 1000
    }
}
