import Queue
import RequestLog
import RequestLogServing
import ServiceLifecycle
import TestSupport

@testable import Common
@testable import Redis

extension LiveIngress {
    /// Runs `body` while a process keeps the request log as the test says.
    /// - Parameters:
    ///   - record: keeps rows.
    ///   - audit: keeps audit rows.
    ///   - answer: answers questions.
    func withRequestLog<Result: Sendable>(
        _ change: (inout Settings) -> Void = { _ in },
        record: @escaping @Sendable ([RequestRow]) async throws -> Void = { _ in },
        audit: @escaping @Sendable ([AuditEvent]) async throws -> Void = { _ in },
        answer: @escaping RequestLogService.Answer,
        _ body: () async throws -> Result
    ) async throws -> Result {
        var settings = Settings(role: .tracestore)
        change(&settings)
        let secrets = Secrets(projects: ["main": Project(name: "main")], defaultProject: "main")
        let log = RequestLogService(
            configuration: Configuration(settings: settings, secrets: secrets, warnings: []), projects: { ["main"] },
            prices: try .load(overriding: nil), redis: server.endpoint, envelope: forwarder.envelope, logger: .silent,
            record: record, audit: audit, answer: answer)
        let services = ServiceGroup(services: log.services, logger: .silent)
        return try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            defer { group.cancelAll() }
            try await eventually { try await redis.liveWorkers(of: .queries) == 1 }
            // Until the log has made the stream of records, none is kept.
            try await eventually { try await redis.send(RedisCommand("EXISTS", Keys.requests)).int == 1 }
            return try await body()
        }
    }
}

extension RequestLogResponse {
    /// A small answer of JSON.
    static func json(_ text: String) -> Self { Self(body: .whole(Array(text.utf8))) }
}
