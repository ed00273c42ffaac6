import Common
import JSON
import Redis
import TestSupport
import Testing

/// Small requests that make much, and the bound on what is kept of it: real processes, over one Redis.
@Suite(.timeLimit(.minutes(5))) struct KeptBytesTests {
    private static let limit = 4 << 20
    private static let size = 1 << 20

    private func body(size: Int) -> String {
        #"{"model":"mock/echo?size=\#(size)","messages":[{"role":"user","content":"x"}]}"#
    }

    /// The bytes that answers and logs take in Redis.
    private func taken(_ redis: RedisClient) async throws -> Int {
        var bytes = 0
        for kind in ["response", "job", "idempotency", "logs", "status"] {
            for key in try await redis.send(RedisCommand("KEYS", "gateway/\(kind)/*")).array ?? [] {
                bytes += try await redis.send(RedisCommand("MEMORY", "USAGE", key.string ?? "", "SAMPLES", 0)).int ?? 0
            }
        }
        return bytes
    }

    @Test func `background answers and logs stay within the bound`() async throws {
        try await GatewayFleet.run(environment: ["KEPT_BYTES": "4MiB"]) { fleet in
            try await fleet.ingress { _, first in
                try await fleet.ingress { _, second in
                    let places = try await accept(30, at: [first, second])
                    #expect(places.count == 12, "as many as there is something set aside for")
                    try await fleet.forwarders(2) {
                        var ends: [Int: Int] = [:]
                        for place in places {
                            ends[try await end(of: place, at: first), default: 0] += 1
                            #expect(try await taken(fleet.redis) <= Self.limit * 21 / 20)
                        }
                        #expect(ends[200] ?? 0 >= 1 && ends[507] ?? 0 >= 1, "\(ends)")
                        #expect((ends[200] ?? 0) + (ends[507] ?? 0) == places.count, "\(ends)")
                        try await log(at: second)
                        #expect(try await taken(fleet.redis) <= Self.limit * 21 / 20)
                        try await withRawClient(to: second) { client in
                            let answer = try await client.call("POST", "/chat/completions", body: body(size: 10))
                            #expect(answer.status == 200, "\(answer.text)")
                            #expect(try await client.call("GET", "/ready").text.contains("KEPT_BYTES is 4194304"))
                        }
                    }
                }
            }
        }
    }

    /// Asks for so many background answers at once.
    /// - Returns: where those that were taken will be.
    private func accept(_ count: Int, at ports: [Int]) async throws -> [String] {
        try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<count {
                group.addTask {
                    try await withRawClient(to: ports[number % ports.count]) { client in
                        let answer = try await client.call(
                            "POST", "/chat/completions",
                            headers: ["Prefer: respond-async", "Idempotency-Key: k\(number)"],
                            body: body(size: Self.size))
                        #expect([202, 507].contains(answer.status), "\(answer.text)")
                        return answer.status == 202 ? answer["location"] : nil
                    }
                }
            }
            return try await group.reduce(into: []) { if let place = $1 { $0.append(place) } }
        }
    }

    /// The status of an answer when it is there.
    private func end(of place: String, at port: Int) async throws -> Int {
        try await withRawClient(to: port) { client in
            let answer = try await client.call("GET", place + "?wait=60")
            if answer.status == 200 { #expect(answer.body.count > Self.size) }
            if answer.status == 507 { #expect(answer.error?.code == "kept_bytes_full", "\(answer.text)") }
            return answer.status
        }
    }

    /// Logs until there is no room.
    private func log(at port: Int) async throws {
        let text = String(repeating: "x", count: 60_000)
        try await withRawClient(to: port) { client in
            for number in 0..<1000 {
                let answer = try await client.call(
                    "POST", "/logs", body: #"{"tags":["rollout_id:r\#(number)"],"message":"\#(text)"}"#)
                if answer.status == 507 { return }
                #expect(answer.status == 200)
            }
            Issue.record("the log has no bound")
        }
    }
}
