internal import Common
internal import GRDB
internal import Logging

/// Takes in the rows of an export, by each way in which one comes.
struct RowIntake: Sendable {
    let database: TraceDatabase
    let faults: FaultInjector
    let now: @Sendable () -> Timestamp
    var metrics: TraceStoreMetrics?

    /// Stores rows of one project, all or none.
    func store(_ rows: [Observation], project: Int64) async throws {
        var rows = rows
        let faults = faults.current
        let time = now()
        for index in rows.indices {
            rows[index].created = time + faults.visibilityDelay
            rows[index].updated = time
        }
        if let loses = faults.loses { rows.removeAll { loses($0.traceID) } }
        try await database.insert(rows, project: project)
        metrics?.stored(rows.count)
    }
}

extension RowIntake {
    /// Stores scores of one project, all or none.
    func store(_ scores: [Score], project: Int64) async throws {
        guard !scores.isEmpty else { return }
        var scores = scores
        let delay = faults.current.visibilityDelay
        for index in scores.indices { scores[index].created = scores[index].created + delay }
        try await database.insert(scores, project: project)
    }
}

/// Takes the spans that this process's own forwarder sends, as an export over HTTP would be taken.
struct SpanIntake: SpanStore {
    let rows: RowIntake
    let logger: Logger

    func store(_ spans: [SpanRecord], of project: String) async -> SpanStoreResponse {
        do {
            guard rows.database.standing == .inPlace else { throw LangfuseError.fileGone }
            guard let number = rows.database.number(ofProject: project) else { throw LangfuseError.badCredentials }
            try await rows.faults.answer(.export) {
                try await rows.store(spans.flatMap(ObservationMapping.observations), project: number)
            }
            return .stored
        } catch {
            let answer = LangfuseError(of: error, logger)
            let retryAfter = answer.headers.first { $0.name.equalsIgnoringASCIICase("Retry-After") }
            return SpanStoreResponse(status: answer.status, retryAfter: retryAfter.flatMap { Int($0.value) })
        }
    }
}
