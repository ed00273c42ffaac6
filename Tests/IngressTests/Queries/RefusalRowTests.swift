import Common
import NIOConcurrencyHelpers
import Queue
import RequestLog
import TestSupport
import Testing

@testable import Ingress
@testable import Redis

/// Refused calls as the request log shows them.
@Suite(.timeLimit(.minutes(5))) struct RefusalRowTests {
    private static let rules = """
        type: gateway-rate-limiting-config
        rules:
          - {id: often, limit_to: 100, unit: requests_per_day}
          - {id: once, limit_to: 1, unit: requests_per_day}
          - {id: seldom, limit_to: 1000, unit: requests_per_day}
        """

    /// Runs `body` with the rows that were kept, and what waits for so many.
    private func withRows(
        _ ingress: LiveIngress, _ body: (_ rows: (Int) async throws -> [RequestRow]) async throws -> Void
    ) async throws {
        let kept = NIOLockedValueBox<[RequestRow]>([])
        try await ingress.withRequestLog(record: { rows in kept.withLockedValue { $0 += rows } }) { _, _, _ in
            .json("{}")
        } _: {
            try await body { count in
                try await eventually { kept.withLockedValue { $0.count } >= count }
                return kept.withLockedValue { $0 }
            }
        }
    }

    /// A request's way in: at once, or by way of a task.
    @Test(arguments: [[], ["Idempotency-Key: k"]]) func `each refusal leaves a row`(headers: [String]) async throws {
        let metadata = #"X-TFY-METADATA: {"team":"red","note":"gsk_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT","api_key":"x"}"#
        try await LiveIngress.run { ingress in
            try await withRows(ingress) { rows in
                let bodies = ["", "hello", #"{"messages":[]}"#, #"{"model":7}"#]
                var ids: [String?] = []
                for body in bodies {
                    let answer = try await ingress.call(
                        "POST", LiveIngress.path, headers: headers + [metadata], body: body)
                    #expect(answer.status == 400)
                    ids.append(answer["x-insertion-id"])
                }
                let wrong = try await ingress.call(
                    "POST", LiveIngress.path, headers: headers + [#"X-TFY-METADATA: {"a":1}"#], body: LiveIngress.body)
                let path = try await ingress.call(
                    "POST", "/rollout_id/r1/chat/completions", headers: headers, body: "{}")
                let found = try await rows(6)
                #expect(found.map(\.id.description) == ids + [wrong["x-insertion-id"], path["x-insertion-id"]])
                #expect(found.allSatisfy { $0.outcome == .refused && $0.status == 400 && $0.project == "main" })
                #expect(
                    found.map(\.errorCode) == [
                        "empty_body", "invalid_json", "missing_model", "invalid_model", "invalid_metadata",
                        "invalid_path",
                    ])
                for row in found.prefix(4) {
                    #expect(row.rollout?.rollout == "r1" && row.rollout?.row == "7" && row.path == "/chat/completions")
                    #expect(row.metadata.map(\.key) == ["team", "note"], "a key is a secret by its name")
                    #expect(row.metadata.map(\.value) == ["red", "[redacted]"] && row.metadata[0].origin == .header)
                    #expect(row.attempts.isEmpty && row.retries == 0)
                }
                #expect(found[5].path.isEmpty, "what could not be read is not shown")
                #expect(found[1].requestBytes == 5)
            }
        }
    }

    @Test func `a refusal by a rate limit names its rule`() async throws {
        let policies = try PolicyFixture.read(Self.rules)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            try await withRows(ingress) { rows in
                async let first = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await first.status == 200)
                let second = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
                #expect(second.status == 429)
                let row = try #require(try await rows(1).first)
                #expect(row.id.description == second["x-insertion-id"] && row.status == 429 && row.outcome == .refused)
                #expect(row.errorCode == second.error?.code && row.rules == ["once"], "the others have let it in")
                #expect(row.modelAsked == "openai/gpt" && row.requestBytes == LiveIngress.body.utf8.count)
            }
        }
    }

    /// A body may be all name of a model, and hold a key there. Many such refusals may wait.
    @Test func `a model is cut and cleaned`() async throws {
        let policies = try PolicyFixture.read(Self.rules)
        let model = "x/gsk_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT/" + String(repeating: "y", count: 200_000)
        let body = #"{"model": "\#(model)", "messages": []}"#
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            try await withRows(ingress) { rows in
                async let first = ingress.call("POST", LiveIngress.path, body: body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await first.status == 200)
                #expect(try await ingress.call("POST", LiveIngress.path, body: body).status == 429)
                let row = try #require(try await rows(1).first)
                let shown = try #require(row.modelAsked)
                #expect(shown.hasPrefix("x/[redacted]/yyy") && shown.utf8.count == 512, "\(shown)")
                #expect(row.requestBytes == body.utf8.count)
            }
        }
    }

    @Test func `who may not enter is logged`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            try await withRows(ingress) { rows in
                let paths = [LiveIngress.path, "/models", "/project_id/sibling/models", "/project_id/unknown/models"]
                for path in paths {
                    let answer = try await ingress.call(
                        "POST", path, headers: [#"X-TFY-METADATA: {"team":"forged"}"#], body: "{}")
                    #expect(answer.status == 401)
                }
                let found = try await rows(4)
                #expect(found.allSatisfy { $0.status == 401 && $0.account == nil && $0.outcome == .refused })
                // What a stranger says is shown to no project.
                #expect(found.allSatisfy { $0.project == "main" && $0.path.isEmpty })
                #expect(found.allSatisfy { $0.metadata.isEmpty && $0.rollout == nil })
            }
        }
    }

    /// The gateway's own pages are not calls.
    @Test func `pages leave no row`() async throws {
        try await LiveIngress.run { ingress in
            try await withRows(ingress) { rows in
                for path in [
                    "/health", "/ready", "/metrics", "/logs/requests?limit=x", "/rollouts",
                    "/jobs/01a203ac-966f-708b-8461-f0092eb2af62",
                ] {
                    _ = try await ingress.call("GET", path)
                }
                #expect(try await ingress.call("POST", LiveIngress.path, body: "").status == 400)
                #expect(try await rows(1).map(\.errorCode) == ["empty_body"])
            }
        }
    }

    /// A row that the store never takes is given up once others show that it takes them. While it takes none, all wait.
    @Test func `a row that is never taken holds up no other`() async throws {
        struct Full: Error {}
        let kept = NIOLockedValueBox<[String]>([])
        let isFull = NIOLockedValueBox(true)
        try await LiveIngress.run { ingress in
            try await ingress.withRequestLog(record: { rows in
                let isWrong = rows.contains { $0.errorCode == "missing_model" }
                if isWrong || isFull.withLockedValue({ $0 }) { throw Full() }
                kept.withLockedValue { $0 += rows.map { $0.errorCode ?? "" } }
            }) { _, _, _ in
                .json("{}")
            } _: {
                for body in ["", #"{"messages":[]}"#, "hello"] {
                    #expect(try await ingress.call("POST", LiveIngress.path, body: body).status == 400)
                }
                try await eventually {
                    try await ingress.redis.send(RedisCommand("XPENDING", Keys.requests, Keys.recorderGroup))[0].int
                        == 3
                }
                isFull.withLockedValue { $0 = false }
                try await eventually {
                    try await ingress.redis.send(RedisCommand("GET", Keys.requestsLost)).int == 1
                }
                #expect(Set(kept.withLockedValue { $0 }) == ["empty_body", "invalid_json"])
                try await eventually { try await ingress.redis.send(RedisCommand("XLEN", Keys.requests)).int == 0 }
            }
        }
    }

    /// While Redis is away refusals wait, as many as there is room for.
    @Test func `refusals are bounded`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                let envelope = Envelope(key: .random())
                let log = RecordLog(redis: redis, envelope: envelope, logger: .silent)
                let ids = InsertionIDGenerator()
                let error = GatewayError.invalidRequest(code: "x", "y")
                for _ in 0..<RecordLog.capacity + 7 {
                    log.note(Refusal(ids.next(), of: "main", path: "/", because: error))
                }
                _ = try await redis.send(
                    RedisCommand("XGROUP", "CREATE", Keys.requests, Keys.recorderGroup, "0", "MKSTREAM"))
                await log.flush()
                await log.flush()
                let count = try await redis.send(RedisCommand("XLEN", Keys.requests)).int
                let lost = try await redis.send(RedisCommand("GET", Keys.requestsLost)).int
                let bytes = try await redis.send(RedisCommand("GET", Keys.requestBytes)).int
                #expect(count == RecordLog.capacity && lost == 7 && bytes ?? 0 > RecordLog.capacity * 100)
            }
        }
    }
}
