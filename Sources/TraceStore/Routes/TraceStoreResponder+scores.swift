internal import Common
internal import Hummingbird
internal import JSON
internal import Logging
internal import NIOPosix

/// The routes of scores.
extension TraceStoreResponder {
    /// `POST /api/public/ingestion`: the way of SDKs up to version 4, and of other languages' ones.
    func events(_ request: Request, _ logger: Logger) async throws -> Response {
        try allow(request, .post)
        let (_, number) = try project(request)
        return try await faults.answer(.ingestion) {
            let batch = try await read(request) { try EventBatch($0, now: $1) }
            for kind in batch.unserved.sorted() { unserved.note("ingestion of \(kind.text)", logger) }
            try await intake.store(batch.scores.map(\.score), project: number)
            return Self.json(batch.json, status: 207)
        }
    }

    /// `POST /api/public/scores`.
    func writeScores(_ request: Request) async throws -> Response {
        let (_, number) = try project(request)
        return try await faults.answer(.ingestion) {
            let batch = try await read(request) { try ScoreBatch($0, now: $1) }
            try await intake.store(batch.scores, project: number)
            let answer = try batch.answer()
            return Self.json(answer.json, status: answer.status)
        }
    }

    /// Reads a body, away from the event loop, within the bounds of an export.
    private func read<Value: Sendable>(
        _ request: Request, _ make: @escaping @Sendable (_ body: [UInt8], _ now: Int64) throws -> Value
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

    func scores(_ request: Request, _ api: ScoreRequest.API) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.traces) {
            var page = try ScoreRequest(QueryParameters(request.uri.query), project: number, api: api)
            page.query.madeBy = visible
            return Self.json(try await reader.scores(page, project: name))
        }
    }

    func scorePage(_ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.scores) {
            var page = try ScorePageRequest(QueryParameters(request.uri.query), project: number)
            page.query.madeBy = visible
            return Self.json(try await reader.scores(page, project: name))
        }
    }

    func score(_ id: String, _ api: ScoreRequest.API, _ request: Request) async throws -> Response {
        try allow(request, .get)
        let project = try project(request)
        return try await faults.answer(.traces) {
            guard let score = try await reader.score(id, api: api, project: project) else {
                throw LangfuseError.unknownScore
            }
            return Self.json(score)
        }
    }

    /// `DELETE /api/public/scores/{id}`, which is for scores of every kind. Langfuse deletes later, the store at once.
    func deleteScore(_ id: String, _ request: Request) async throws -> Response {
        let (_, number) = try project(request)
        return try await faults.answer(.ingestion) {
            try await intake.database.deleteScore(id, project: number)
            return Self.json(Array(#"{"message":"Score deletion queued successfully"}"#.utf8), status: 202)
        }
    }
}
