import Common
import NIOConcurrencyHelpers
import Policies
import Queue
import RequestLog
import TestSupport
import Testing

@testable import Ingress
@testable import Redis

/// What an ingress tells the audit log, and whom it lets ask for what.
@Suite(.timeLimit(.minutes(5))) struct AuditRowTests {
    private static let key = "Authorization: Bearer " + APIKeyAuthTests.shared

    private static func entry(_ id: String, key: String, _ account: Account) -> APIKeyAuth.Entry {
        var account = account
        account.keyID = id
        return APIKeyAuth.Entry(
            id: id, digest: APIKeyAuthTests.entry(id, key: key, projects: .all).digest, account: account)
    }

    private static var auth: APIKeyAuth {
        APIKeyAuth(entries: [
            entry("key-a", key: APIKeyAuthTests.shared + "-a", Account(id: "team-a", user: "ada")),
            entry(
                "key-b", key: APIKeyAuthTests.shared + "-b",
                Account(id: "team-b", projects: .only(["main"]), isAdmin: true)),
        ])
    }

    /// Runs `body` with what waits until so many rows of a kind were kept, and gives them.
    private func withRows(
        _ ingress: LiveIngress, _ body: ((AuditKind, Int) async throws -> [AuditEvent]) async throws -> Void
    ) async throws {
        let kept = NIOLockedValueBox<[AuditEvent]>([])
        try await ingress.withRequestLog(audit: { events in kept.withLockedValue { $0 += events } }) { _, _, _ in
            .json("{}")
        } _: {
            try await body { kind, count in
                func rows() -> [AuditEvent] { kept.withLockedValue { $0.filter { $0.kind == kind } } }
                try await eventually { rows().count >= count }
                return rows()
            }
        }
    }

    @Test func `a key's use is told`() async throws {
        try await LiveIngress.run({ $0.auth = Self.auth }) { ingress in
            try await withRows(ingress) { rows in
                for _ in 0..<3 {
                    #expect(
                        try await ingress.call("GET", "/logs?tags=rollout_id:r", headers: [Self.key + "-a"]).status
                            == 200)
                }
                _ = try await ingress.call("GET", "/project_id/sibling/rollouts", headers: [Self.key + "-a"])
                // Neither opens anything.
                #expect(try await ingress.call("GET", "/rollouts", headers: [Self.key + "-x"]).status == 401)
                #expect(
                    try await ingress.call("GET", "/project_id/sibling/rollouts", headers: [Self.key + "-b"]).status
                        == 404)
                _ = try await ingress.call("GET", "/rollouts", headers: [Self.key + "-b"])
                let found = try await rows(.keyUsed, 3)
                #expect(found.map(\.subject) == ["key-a", "key-a", "key-b"])
                #expect(found.map(\.project) == ["main", "sibling", "main"])
                #expect(
                    found.map(\.account) == ["team-a", "team-a", "team-b"] && found.map(\.user) == ["ada", "ada", nil])
                #expect(found.allSatisfy { $0.details.json == #"{"count":1}"# && $0.actor.hasPrefix("ingress ") })
            }
        }
    }

    @Test func `an audited limit is told`() async throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-rate-limiting-config
            rules:
              - {id: watched, limit_to: 1, unit: requests_per_day, mode: audit}
            """)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            try await withRows(ingress) { rows in
                var ids: [String?] = []
                for _ in 0..<4 {
                    async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
                    try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                    ids.append(try await reply["x-insertion-id"])
                }
                let row = try #require(try await rows(.ruleAudited, 1).first)
                #expect(row.subject == "watched" && row.project == "main")
                #expect(row.details.json == #"{"count":1,"example_insertion_id":"\#(ids[1] ?? "")"}"#)
                #expect(try await rows(.ruleAudited, 1).count == 1, "one a minute")
            }
        }
    }

    @Test func `audited metadata is told without its values`() async throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-metadata-config
            mode: audit
            allow_unknown_keys: false
            keys: {team: {values: [ads]}}
            """)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            try await withRows(ingress) { rows in
                async let replies = ingress.forwarder.answer(next: 3) { _ in "{}" }
                for metadata in [#"{"team":"canary"}"#, #"{"team":"canary"}"#, #"{"team":"ads","key-canary":""}"#] {
                    let headers = ["x-tfy-metadata: " + metadata]
                    #expect(
                        try await ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body)
                            .status == 200)
                }
                try await replies
                let found = try await rows(.ruleAudited, 2)
                #expect(found.map(\.subject) == ["values/team", "allow_unknown_keys"])
                #expect(!found.contains { "\($0)".contains("canary") })
            }
        }
    }

    /// A process with another key is not the only one to notice: the one that keeps the log cannot read what that
    /// wrote.
    @Test func `what does not open is told`() async throws {
        try await LiveIngress.run { ingress in
            try await withRows(ingress) { rows in
                let id = InsertionIDGenerator().next()
                let record = AuditEvent(id: id, kind: .keyUsed, actor: "x").wireBytes
                let sealed = try Envelope(key: .random()).seal(record, for: .record(id, holding: record))
                try await RecordStream(redis: ingress.redis).add([(id, sealed)], lost: 0)
                let row = try #require(try await rows(.sealUnreadable, 1).first)
                #expect(row.subject == Keys.requests && row.project == nil && row.actor.hasPrefix("tracestore "))
            }
        }
    }

    /// The operator's rows are for admin keys, and for all where no key is asked for.
    @Test func `only the operator asks as operator`() async throws {
        func asked(_ ingress: LiveIngress, _ headers: [String]) async throws -> String {
            try await ingress.withRequestLog {
                .json("\($2.project) \($2.isOperator)")
            } _: {
                try await ingress.call("GET", "/logs/audit", headers: headers).text
            }
        }
        let withoutKeys = try await LiveIngress.run { try await asked($0, []) }
        #expect(withoutKeys == "main true")
        let withKeys = try await LiveIngress.run({ $0.auth = Self.auth }) { ingress in
            [try await asked(ingress, [Self.key + "-a"]), try await asked(ingress, [Self.key + "-b"])]
        }
        #expect(withKeys == ["main false", "main true"])
        let byOwnBuild = try await LiveIngress.run({ $0.auth = OneAccount(account: Account(id: "x")) }) {
            try await asked($0, [])
        }
        #expect(byOwnBuild == "main false")
    }

    /// Where nothing keeps the log, nothing is kept for it; the key of a Redis that had none is told.
    @Test func `the key of a new Redis is told`() async throws {
        try await LiveIngress.run { ingress in
            let key = ingress.forwarder.envelope.keyFingerprint
            // One log sees both: a second one would not start if its first look found another key.
            try await withRows(ingress) { rows in
                _ = try await ingress.redis.send(RedisCommand("DEL", Keys.keyFingerprint))
                let row = try #require(try await rows(.sealKeyWritten, 1).last)
                #expect(row.subject == "GATEWAY_KEY" && row.project == nil)
                #expect(row.details.json == #"{"own_fingerprint":"\#(key)"}"#)
                _ = try await ingress.redis.send(RedisCommand("SET", Keys.keyFingerprint, "another"))
                try await eventually { try await ingress.call("GET", "/ready").text.contains("GATEWAY_KEY") }
                _ = try await ingress.redis.send(RedisCommand("SET", Keys.keyFingerprint, key))
                #expect(try await !rows(.sealKeyDiffers, 1).isEmpty)
            }
        }
    }
}
