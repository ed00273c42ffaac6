import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Redis
@testable import Verifier

/// A rate limit that several verifiers share. Redis has a clock of its own, so the limits here last longer than a test
/// does.
@Suite(.timeLimit(.minutes(5))) struct RateBudgetTests {
    private func run(
        longestWait: Duration = .seconds(2),
        _ body: (RedisClient, ManualTime, @Sendable () -> RateBudget) async throws -> Void
    ) async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                let time = ManualTime()
                try await body(redis, time) { RateBudget(redis: redis, clock: time.clock, longestWait: longestWait) }
            }
        }
    }

    private func answer(_ status: Int = 200, _ headers: [(String, String)]) -> LangfuseResponse {
        LangfuseResponse(status: status, headers: headers.map { HeaderField($0.0, $0.1) }, body: [])
    }

    private func pause(_ body: () async throws(TraceSourceError) -> Void) async throws -> Duration {
        do throws(TraceSourceError) { try await body() } catch {
            guard case .rateLimited(let pause) = error else { throw error }
            return pause
        }
        return .zero
    }

    @Test func `no call waits while nothing is known`() async throws {
        try await run { _, _, budget in
            for _ in 0..<100 { try await budget().take(.sample, "public") }
        }
    }

    @Test func `what is left is shared`() async throws {
        try await run { _, _, budget in
            let (one, other) = (budget(), budget())
            try await one.learn(
                from: answer(200, [("X-RateLimit-Remaining", "4"), ("X-RateLimit-Reset", "30")]), .sample, "public")
            // One is left alone: Langfuse refuses the last of a window.
            for budget in [one, other, one] { try await budget.take(.sample, "public") }
            let pause = try await pause { () throws(TraceSourceError) in try await other.take(.sample, "public") }
            #expect((.seconds(25)...(.seconds(30))).contains(pause))
            // The other routes and another organisation have limits of their own.
            try await one.take(.sample, "legacy")
            var store = TraceDestination.sample
            store.keys.publicKey = SecretString("pk-lf-another")
            try await one.take(store, "public")
        }
    }

    @Test func `an answer that comes late brings nothing back`() async throws {
        try await run { _, time, budget in
            let budget = budget()
            let reset = TimeText.iso(time.now + 30_000)
            for left in [2, 9] {
                try await budget.learn(
                    from: answer(200, [("X-RateLimit-Remaining", "\(left)"), ("X-RateLimit-Reset", reset)]), .sample,
                    "public")
            }
            try await budget.take(.sample, "public")
            #expect(
                try await pause { () throws(TraceSourceError) in try await budget.take(.sample, "public") }
                    > .seconds(20))
        }
    }

    @Test func `a 429 stops everybody`() async throws {
        try await run { redis, _, budget in
            try await budget().learn(from: answer(429, [("Retry-After", "7")]), .sample, "public")
            let pause = try await pause { () throws(TraceSourceError) in try await budget().take(.sample, "public") }
            #expect((.seconds(5)...(.seconds(7))).contains(pause))
            let keys = try await redis.send(RedisCommand("KEYS", "*")).array ?? []
            #expect(keys.count == 1 && keys[0].string?.hasPrefix("gateway/limit/langfuse/") == true)
            #expect(keys[0].string?.contains("canary") == false)
            #expect((1...8000).contains(try await redis.send(RedisCommand("PTTL", keys[0].string ?? "")).int ?? 0))
        }
    }

    /// A store that lies about time holds nobody up for years, and a verifier that was started anew asks it again.
    @Test func `a pause is believed for five minutes and not beyond a restart`() async throws {
        try await run { redis, _, budget in
            let one = budget()
            try await one.take(.sample, "public")
            try await one.learn(from: answer(429, [("Retry-After", "1000000000")]), .sample, "public")
            let pause = try await pause { () throws(TraceSourceError) in try await one.take(.sample, "public") }
            #expect((.seconds(290)...(.seconds(300))).contains(pause))
            let life = try await redis.send(RedisCommand("PTTL", RateBudget.key(.sample, "public"))).int ?? 0
            #expect((1...301_000).contains(life))
            // Another process.
            try await budget().take(.sample, "public")
            try await one.take(.sample, "public")
        }
    }

    /// As an earlier version left it, or before the server's clock was put back.
    @Test func `what lies far ahead is forgotten`() async throws {
        try await run { redis, _, budget in
            let one = budget()
            try await one.take(.sample, "public")
            for fields in [["pause", "99999999999999"], ["left", "0", "reset", "99999999999999"]] {
                var command = RedisCommand("HSET", RateBudget.key(.sample, "public"))
                command.append(contentsOf: fields)
                _ = try await redis.send(command)
                try await one.take(.sample, "public")
            }
        }
    }

    @Test func `a short wait is waited out`() async throws {
        try await run(longestWait: .seconds(60)) { redis, time, budget in
            try await budget().learn(from: answer(429, [("Retry-After", "60")]), .sample, "public")
            let key = RateBudget.key(.sample, "public")
            // What the clock here does not do, the sleeper does: the pause is over.
            time.onSleep.withLockedValue { $0 = { _ = try await redis.send(RedisCommand("DEL", key)) } }
            try await budget().take(.sample, "public")
            #expect(time.sleeps.count == 1 && time.sleeps.allSatisfy { (.seconds(1)...(.seconds(60))).contains($0) })
        }
    }

    @Test(arguments: [
        ("30", 30), ("2026-11-22T19:27:09.000Z", 30),
        ("Sun Nov 22 2026 19:27:09 GMT+0000 (Coordinated Universal Time)", 30),
        ("Sun Nov 22 2026 21:27:09 GMT+0200 (CEST)", 30), ("1795375629", 30), ("2020-01-01T00:00:00Z", 0),
        ("2099-01-01T00:00:00Z", 300), ("-5", 0), ("9223372036854775807", 300), ("-9223372036854775808", 0),
    ])
    func `resets are read as servers write them`(_ text: String, _ seconds: Int) throws {
        let headers = [HeaderField("x-ratelimit-remaining", "3"), HeaderField("x-ratelimit-reset", text)]
        let report = try #require(RateLimitReport(headers, now: 1_795_375_599_000))
        #expect(report.remaining == 3 && report.reset == .seconds(seconds))
    }

    @Test(arguments: ["", "soon", "Sun Nov 22"])
    func `other resets are none`(_ text: String) {
        #expect(
            RateLimitReport(
                [HeaderField("x-ratelimit-remaining", "3"), HeaderField("x-ratelimit-reset", text)], now: 0) == nil)
    }
}
