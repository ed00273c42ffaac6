import Common
import Queue
import Redis
import TestSupport
import Testing

/// Audit events on their way to the process that keeps the log.
@Suite(.timeLimit(.minutes(5))) struct AuditLogTests {
    private static let start = ContinuousClock.now

    /// Runs `body` with a log of a Redis where records are kept, and what has come there.
    private func withLog(
        _ body: (_ log: AuditLog, _ events: () async throws -> [AuditEvent]) async throws -> Void
    ) async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                let envelope = Envelope(key: .random())
                let log = AuditLog(role: .ingress, redis: redis, envelope: envelope, logger: .silent)
                _ = try await redis.send(
                    RedisCommand("XGROUP", "CREATE", Keys.requests, Keys.recorderGroup, "0", "MKSTREAM"))
                try await body(log) {
                    await log.records.flush()
                    let entries = try await redis.send(RedisCommand("XRANGE", Keys.requests, "-", "+")).array ?? []
                    return try entries.map { entry in
                        let id = try #require(InsertionID(entry[1][1].string ?? ""))
                        return try AuditEvent(
                            wireBytes: try envelope.open(entry[1][3].bytes ?? [], for: .record(id)))
                    }
                }
            }
        }
    }

    @Test func `an event says who tells of it`() async throws {
        try await withLog { log, events in
            log.note(.keysReloaded, of: "keys.yaml", details: .count(1, example: nil))
            log.noteSparsely(.keyUsed, of: "k", project: "p", account: "a", user: "u")
            let found = try await events()
            #expect(found.map(\.kind) == [.keysReloaded, .keyUsed])
            #expect(found.allSatisfy { $0.actor == "ingress " + ProcessName.shown })
            #expect(
                found[0].subject == "keys.yaml" && found[0].project == nil && found[0].details.json == #"{"count":1}"#)
            #expect(found[1].project == "p" && found[1].account == "a" && found[1].user == "u")
        }
    }

    /// A key's use is told at once and then once an hour; what an audited rule lets pass once a minute. Each project
    /// has its own rows.
    @Test(arguments: [(AuditKind.keyUsed, 3600), (.ruleAudited, 60)]) func `what comes often is told once in a while`(
        kind: AuditKind, seconds: Int
    ) async throws {
        try await withLog { log, events in
            func note(_ count: Int, at second: Int, project: String = "p") {
                for _ in 0..<count {
                    log.noteSparsely(kind, of: "s", project: project, now: Self.start + .seconds(second))
                }
            }
            note(3, at: 0)
            note(1, at: 0, project: "q")
            note(4, at: seconds - 1)
            note(2, at: seconds)
            note(1, at: 2 * seconds - 1)
            note(1, at: 2 * seconds)
            let found = try await events()
            #expect(found.map(\.project) == ["p", "q", "p", "p"])
            #expect(found.map(\.details.json) == [1, 1, 7, 3].map { #"{"count":\#($0)}"# })
        }
    }

    /// The subjects that are remembered are bounded; those that come back when all are forgotten have a row anew.
    @Test func `subjects are bounded`() async throws {
        try await withLog { log, events in
            for round in 0..<2 {
                for number in 0..<6000 { log.noteSparsely(.keyUsed, of: "\(round)-\(number)", now: Self.start) }
            }
            log.noteSparsely(.keyUsed, of: "0-0", now: Self.start)
            log.noteSparsely(.keyUsed, of: "1-5999", now: Self.start)
            // What waits is bounded too.
            var count = try await events().count
            #expect(count == RecordLog.capacity)
            log.noteSparsely(.keyUsed, of: "0-0", now: Self.start)
            count = try await events().count
            #expect(count == RecordLog.capacity)
        }
    }
}
