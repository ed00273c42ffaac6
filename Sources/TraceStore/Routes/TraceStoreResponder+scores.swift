internal import Common
internal import Hummingbird
internal import JSON
internal import NIOPosix

/// The routes of scores.
extension TraceStoreResponder {
    /// Takes events: the way of SDKs up to version 4, and of other languages' ones.
    func events(_ call: StoreCall) async throws -> Response {
        let batch = try await read(call.request) { try EventBatch($0, now: $1) }
        for kind in batch.unserved.sorted() { unserved.note("ingestion of \(kind.text)", call.logger) }
        try await intake.store(batch.scores.map(\.score), project: call.project.number)
        return Self.json(batch.json, status: 207)
    }

    func writeScores(_ call: StoreCall) async throws -> Response {
        let batch = try await read(call.request) { try ScoreBatch($0, now: $1) }
        try await intake.store(batch.scores, project: call.project.number)
        let answer = try batch.answer()
        return Self.json(answer.json, status: answer.status)
    }

    /// Reads a body, away from the event loop, within the bounds of an export.
    private func read<Value: Sendable>(
        _ request: Request, _ make: @escaping @Sendable (_ body: [UInt8], _ now: Timestamp) throws -> Value
    ) async throws -> Value {
        let content = try CompressedBody(labels: request.headers[values: .contentEncoding], limit: exportLimit)
        let share = budget.share()
        defer { withExtendedLifetime(share) {} }
        let body = try await body(of: request, share)
        let now = intake.now()
        return try await NIOThreadPool.singleton.runIfActive {
            try make(content.decompressed(body, in: share), now)
        }
    }

    func scores(_ call: StoreCall, _ api: ScoreRequest.API) async throws -> Response {
        var page = try ScoreRequest(call.query, project: call.project.number, api: api)
        page.query.madeBy = visible
        return Self.json(try await reader.scores(page, project: call.project.name))
    }

    func scorePage(_ call: StoreCall) async throws -> Response {
        var page = try ScorePageRequest(call.query, project: call.project.number)
        page.query.madeBy = visible
        return Self.json(try await reader.scores(page, project: call.project.name))
    }

    func score(_ call: StoreCall, _ api: ScoreRequest.API) async throws -> Response {
        guard let score = try await reader.score(call.id, api: api, project: call.project) else {
            throw LangfuseError.unknownScore
        }
        return Self.json(score)
    }

    /// Deletes a score of any kind. Langfuse deletes later, the store at once.
    func deleteScore(_ call: StoreCall) async throws -> Response {
        try await intake.database.deleteScore(call.id, project: call.project.number)
        return Self.json(Array(#"{"message":"Score deletion queued successfully"}"#.utf8), status: 202)
    }
}
