import Common
import Policies
import Redis
import TestSupport
import Testing

/// Rate limits while Redis is away.
@Suite(.timeLimit(.minutes(5))) struct RateLimitOutageTests {
    /// Without its counters nothing is let in, within a second; with them it goes on where it was.
    @Test func `without Redis the gate is shut`() async throws {
        let policies = try PolicyFixture.read(
            "type: gateway-rate-limiting-config\nrules:\n  - {id: all, limit_to: 5, unit: requests_per_day}\n",
            asksForKeys: false)
        try await LiveIngress.run {
            $0.policies = policies
            $0.redis.isDurable = true
        } _: { ingress in
            func letIn(_ count: Int) async throws {
                for _ in 0..<count {
                    async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
                    try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                    #expect(try await reply.status == 200)
                }
            }
            try await letIn(2)
            ingress.server.kill()
            var times: [Duration] = []
            for _ in 0..<5 {
                let start = ContinuousClock.now
                let refused = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
                #expect(refused.status == 503 && refused.error?.code == "queue_unavailable")
                times.append(start.duration(to: .now))
            }
            // A slow gate is slow each time; a busy machine is not.
            #expect(times.min().map { $0 < .seconds(1) } ?? false, "\(times)")
            try await ingress.server.start()
            try await eventually { try await ingress.call("GET", "/ready").text.contains(#""redis":true"#) }
            // The test's own connections come back in their own time.
            try await ingress.redis.waitUntilReady(timeout: .seconds(10))
            #expect(try await ingress.queued() == 0, "nothing of it reaches a forwarder, and so no provider")
            try await letIn(3)
            let over = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            #expect(over.status == 429 && over["x-ratelimit-remaining-requests"] == "0")
        }
    }
}
