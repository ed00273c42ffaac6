import TestSupport
import Testing

@testable import Common
@testable import Ingress
@testable import Queue
@testable import Redis

/// The bound on what is kept for later, as clients and operators meet it.
@Suite(.timeLimit(.minutes(5))) struct KeptBytesTests {
    private static let entry = #"{"tags":["rollout_id:r1"],"message":"m"}"#
    private static let background = ["Prefer: respond-async"]
    private static let key = ["Idempotency-Key: 0a1b-2c3d"]

    /// Fills the bound as if other processes had kept so much.
    private func fill(_ ingress: LiveIngress, bytes: Int = 1 << 20) async throws {
        let minute = Int(Timestamp.now.milliseconds) / 60_000
        _ = try await ingress.redis.send(
            RedisCommand("HSET", Keys.kept, "total", bytes, "from", minute, minute + 60, bytes))
    }

    private func expectFull(_ answer: HTTPAnswer) {
        #expect(answer.status == 507 && answer.error?.code == "kept_bytes_full", "\(answer.text)")
        #expect(answer.error?.message.contains("KEPT_BYTES") == true)
        #expect(answer["retry-after"] == "60" && answer["x-should-retry"] == nil)
    }

    /// What would keep more is refused and leaves nothing behind; all else goes on.
    @Test func `a full gateway keeps nothing more`() async throws {
        try await LiveIngress.run({ $0.settings.queue.keptBytes = 1 << 20 }) { ingress in
            try await fill(ingress)
            let before = try await ingress.keys()
            for headers in [Self.background, Self.key, Self.background + Self.key] {
                expectFull(
                    try await ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body))
            }
            expectFull(try await ingress.call("POST", "/logs", body: Self.entry))
            #expect(try await ingress.keys() == before)
            #expect(try await ingress.queued() == 0)
            async let ordinary = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await ordinary.status == 200)
            #expect(try await ingress.call("GET", "/logs?tags=rollout_id:r1").status == 200)
        }
    }

    @Test func `readiness and metrics tell of it`() async throws {
        try await LiveIngress.run({ $0.settings.queue.keptBytes = 1 << 20 }) { ingress in
            #expect(try await !ingress.call("GET", "/ready").text.contains("KEPT_BYTES"))
            // One background call's reservation is left, and then none.
            try await fill(ingress, bytes: (1 << 20) - KeptBytes.reserved)
            #expect(try await !ingress.call("GET", "/ready").text.contains("KEPT_BYTES"))
            try await fill(ingress, bytes: (1 << 20) - KeptBytes.reserved + 1)
            let ready = try await ingress.call("GET", "/ready")
            #expect(ready.status == 200 && ready.text.contains("(KEPT_BYTES is 1048576)"), "\(ready.text)")
            let lines = try await ingress.call("GET", "/metrics").text.split(separator: "\n").map(String.init)
            #expect(lines.contains("gateway_kept_bytes \((1 << 20) - KeptBytes.reserved + 1)"))
            #expect(lines.contains("gateway_kept_limit_bytes 1048576"))
        }
    }

    /// With `ON_DISCONNECT=finish` each answer is kept for an hour. Where there is no room, a call is its client's
    /// alone.
    @Test func `a call that would outlive its client goes on with it`() async throws {
        try await LiveIngress.run({
            $0.settings.queue.keptBytes = 1 << 20
            $0.settings.http.onDisconnect = .finish
        }) { ingress in
            for isFull in [false, true] {
                if isFull { try await fill(ingress) }
                async let answer = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
                let taken = try await ingress.forwarder.take()
                #expect(taken.job.isFetchable == !isFull)
                try await ingress.forwarder.answer(taken, body: "{}")
                #expect(try await answer.text == "{}")
            }
            let left = try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, body: LiveIngress.body)
                return try await ingress.forwarder.take().job.insertionID
            }
            try await eventually { try await ingress.isCancelled(left) }
        }
    }

    /// An answer that had no room is told as such to those who fetch it, from its first byte.
    @Test func `an answer that was given up says so`() async throws {
        try await LiveIngress.run { ingress in
            let accepted = try await ingress.call(
                "POST", LiveIngress.path, headers: Self.background, body: LiveIngress.body)
            let error = GatewayError(
                status: 507, type: "server_error", code: "kept_bytes_full", message: "given up", shouldRetry: false)
            try await ingress.forwarder.finish(
                try await ingress.forwarder.take(), with: ResponseFrame(lastWord: error))
            let fetched = try await ingress.call("GET", try #require(accepted["location"]))
            #expect(fetched.status == 507 && fetched.error?.code == "kept_bytes_full", "\(fetched.text)")
            #expect(fetched["x-should-retry"] == "false")
        }
    }

    /// A log counts as long as it lives, once: its renewal moves all of it, and what leaves it counts no longer.
    @Test func `a log is counted as long as it lives`() async throws {
        try await LiveIngress.run { ingress in
            let large =
                #"{"tags":["rollout_id:r1","rollout_id:r2"],"message":"\#(String(repeating: "x", count: 60_000))","status":{"code":0}}"#
            for body in [Self.entry, large, large] + Array(repeating: large, count: 20) {
                #expect(try await ingress.call("POST", "/logs", body: body).status == 200)
                var taken = 0
                for key in try await ingress.keys()
                where key.hasPrefix("gateway/logs/") || key.hasPrefix("gateway/status/") {
                    taken += try await ingress.redis.send(RedisCommand("MEMORY", "USAGE", key, "SAMPLES", 0)).int ?? 0
                }
                let counted = try await KeptBytes.count(in: ingress.redis)
                #expect(abs(counted - taken) * 10 <= taken, "\(counted) of \(taken)")
                let minutes = try await ingress.redis.send(RedisCommand("HLEN", Keys.kept)).int ?? 0
                #expect(minutes <= 5, "its entries' bytes stand where it ends, and nowhere before")
            }
        }
    }

    /// An entry of many rollouts is kept with each of them.
    @Test func `an entry is bounded with all its copies`() async throws {
        try await LiveIngress.run({ $0.settings.queue.logEntryBytes = 64 << 10 }) { ingress in
            let tags = (0..<16).map { #""rollout_id:r\#($0)""# }.joined(separator: ",")
            func body(of bytes: Int) -> String {
                let frame = #"{"tags":[\#(tags)],"message":""}"#
                return frame.replacing(
                    #""""#, with: "\"\(String(repeating: "x", count: bytes - frame.utf8.count))\"")
            }
            let before = try await ingress.keys()
            let refused = try await ingress.call("POST", "/logs", body: body(of: 4097))
            #expect(refused.status == 400 && refused.error?.code == "too_many_copies", "\(refused.text)")
            #expect(refused.error?.message.contains("16 times 4097 bytes") == true)
            #expect(refused.text.contains("LOG_ENTRY_BYTES") && refused.text.contains(#""param":"tags""#))
            #expect(try await ingress.keys() == before)
            #expect(try await ingress.call("POST", "/logs", body: body(of: 4096)).status == 200)
        }
    }

    /// An entry is kept with all of its rollouts or with none.
    @Test func `an entry is kept whole or not at all`() async throws {
        try await LiveIngress.run({ $0.settings.queue.keptBytes = 1 << 20 }) { ingress in
            try await fill(ingress, bytes: (1 << 20) - 10_000)
            let three = #"{"tags":["rollout_id:a","rollout_id:b","rollout_id:c"],"message":"m"}"#
            expectFull(try await ingress.call("POST", "/logs", body: three))
            #expect(try await !ingress.keys().contains { $0.hasPrefix("gateway/logs/") })
            #expect(try await ingress.call("POST", "/logs", body: Self.entry).status == 200)
        }
    }
}
