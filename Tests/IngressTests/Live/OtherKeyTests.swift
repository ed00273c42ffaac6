import Common
import Redis
import TestSupport
import Testing

/// Others use the ingress's Redis with another key.
@Suite(.timeLimit(.minutes(5))) struct OtherKeyTests {
    private static let logs = #"{"tags":["rollout_id:r1"],"message":"m"}"#

    @Test func `nothing is put before forwarders that cannot read it`() async throws {
        try await LiveIngress.run { ingress in
            // The ingress may be ready before its watch has looked for the first time.
            try await eventually { try await ingress.redis.send(RedisCommand("EXISTS", Keys.keyFingerprint)).int == 1 }
            let own = try #require(try await ingress.redis.send(RedisCommand("GET", Keys.keyFingerprint)).string)
            _ = try await ingress.redis.send(
                RedisCommand("SET", Keys.keyFingerprint, Envelope(key: .random()).keyFingerprint))
            try await eventually { try await ingress.call("GET", "/ready").status == 503 }
            let ready = try await ingress.call("GET", "/ready")
            #expect(
                ready.text.contains("another GATEWAY_KEY") && ready.text.contains("DEL \(Keys.keyFingerprint)"),
                "\(ready.text)")
            let requests = [
                ("POST", LiveIngress.path, LiveIngress.body), ("POST", "/chat/completions", LiveIngress.body),
                ("POST", "/logs", Self.logs),
                ("GET", "/logs?tags=rollout_id:r1", ""), ("GET", "/status?rollout_id=r1", ""),
            ]
            for (method, path, body) in requests {
                let answer = try await ingress.call(method, path, body: body)
                #expect(answer.status == 503 && answer.error?.code == "queue_unavailable", "\(path): \(answer.text)")
                #expect(
                    answer.error?.message.contains("GATEWAY_KEY") == true && answer["retry-after"] != nil, "\(path)")
            }
            #expect(try await ingress.queued() == 0)
            #expect(try await ingress.call("GET", "/health").status == 200)
            _ = try await ingress.redis.send(RedisCommand("SET", Keys.keyFingerprint, own))
            try await eventually { try await ingress.call("GET", "/ready").status == 200 }
            async let answer = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await answer.status == 200)
        }
    }
}
