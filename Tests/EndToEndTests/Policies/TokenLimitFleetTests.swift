import Common
import Redis
import Subprocess
import TestSupport
import Testing

/// A limit on tokens, with real processes and a provider that says what it has used.
@Suite(.timeLimit(.minutes(5))) struct TokenLimitFleetTests {
    private static let clients = 50
    private static let used = 37
    private static let rules = """
        type: gateway-rate-limiting-config
        rules:
          - {id: tokens, limit_to: 1000, unit: tokens_per_minute}
        """
    /// 400 bytes of text are a hundred tokens, and the answer may have a hundred.
    private static let body = #"""
        {"model": "held/gpt", "max_tokens": 100,
         "messages": [{"role": "user", "content": "\#(String(repeating: "x", count: 400))"}]}
        """#
    private static let answer = #"""
        {"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],
         "usage":{"prompt_tokens":30,"completion_tokens":7,"total_tokens":\#(used)}}
        """#

    /// Of fifty at once, each of which may take 200 of 1,000 tokens, five reach the provider. Afterwards the counter
    /// holds what these have used, and there is room again.
    @Test func `many at once cannot pass a limit together`() async throws {
        let (calls, refused) = (Counter(), Counter())
        try await ScriptedServer.run { connection in
            while try await connection.request() != nil {
                calls.add(1)
                // No answer makes room before all are decided.
                try await eventually { refused.value >= Self.clients - 5 }
                let body = Self.answer
                try await connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                )
            }
        } _: { provider in
            try await GatewayFleet.run(environment: ["CONFIG_PATH": "gateway.yaml"]) { fleet in
                let account = #"{"base_url": "http://127.0.0.1:\#(provider.port)/v1", "key": "sk-held"}"#
                try fleet.folder.write("{\"accounts\": {\"held\": \(account)}}", to: "secrets.yaml")
                try fleet.folder.write(Self.rules, to: "gateway.yaml")
                try await fleet.forwarder { _ in
                    try await fleet.ingress { _, first in
                        try await fleet.ingress { _, second in
                            let answered = try await ask(at: [first, second], refused)
                            #expect(answered == 5 && refused.value == Self.clients - 5 && calls.value == 5)
                            #expect(try await counted(fleet.redis) == 5 * Self.used)
                            // Settled: 815 tokens are free.
                            let more = try await withRawClient(to: second) {
                                try await $0.call("POST", ServeTests.path, body: Self.body)
                            }
                            #expect(more.status == 200)
                            #expect(more["x-ratelimit-remaining-tokens"] == "\(1000 - 5 * Self.used - 200)")
                        }
                    }
                }
            }
        }
    }

    /// The provider has begun a stream, and the forwarder that reads it is killed. What it used is not known, and the
    /// call is not made again: it stays counted as it was estimated.
    @Test func `a stream whose forwarder is killed counts as estimated`() async throws {
        let calls = Counter()
        try await ScriptedServer.run { connection in
            while try await connection.request() != nil {
                calls.add(1)
                try await connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                        + #"data: {"choices":[{"index":0,"delta":{"content":"a"}}]}"# + "\n\n")
                // The rest never comes: the connection ends with its forwarder.
            }
        } _: { provider in
            try await GatewayFleet.run(environment: ["CONFIG_PATH": "gateway.yaml"]) { fleet in
                let account = #"{"base_url": "http://127.0.0.1:\#(provider.port)/v1", "key": "sk-held"}"#
                try fleet.folder.write("{\"accounts\": {\"held\": \(account)}}", to: "secrets.yaml")
                try fleet.folder.write(Self.rules, to: "gateway.yaml")
                try await fleet.ingress { _, port in
                    let answer = try await streamed(from: port) {
                        try await fleet.forwarder { first in
                            try await eventually(within: .seconds(30)) { try await isStarted(fleet.redis) }
                            #expect(try await counted(fleet.redis) == 200)
                            try first.send(.kill)
                        }
                        try await fleet.forwarder { _ in
                            try await eventually(within: .seconds(40)) {
                                try await fleet.redis.send(RedisCommand("XLEN", "gateway/jobs")).int == 0
                            }
                        }
                    }
                    #expect(answer.contains(#""content":"a""#) && answer.contains(#""error":"#))
                    #expect(calls.value == 1)
                    #expect(try await counted(fleet.redis) == 200)
                }
            }
        }
    }

    /// - Returns: what came of a stream's answer while `action` was done.
    private func streamed(from port: Int, while action: () async throws -> Void) async throws -> String {
        try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask {
                let body = Self.body.replacing(#""max_tokens""#, with: #""stream": true, "max_tokens""#)
                let answer = try await withRawClient(to: port) {
                    try await $0.call("POST", ServeTests.path, body: body)
                }
                return answer.text
            }
            try await action()
            return try await group.next() ?? ""
        }
    }

    /// Whether the first bytes of an answer are on their way to the client.
    private func isStarted(_ redis: RedisClient) async throws -> Bool {
        try await redis.send(RedisCommand("KEYS", "gateway/started/*")).array?.isEmpty == false
    }

    /// All at once, each on a connection of its own.
    private func ask(at ports: [Int], _ refused: Counter) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for place in 0..<Self.clients {
                group.addTask {
                    try await withRawClient(to: ports[place % ports.count]) { client in
                        let answer = try await client.call("POST", ServeTests.path, body: Self.body)
                        if answer.status == 429 { refused.add(1) }
                        return answer.status
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 == 200 ? 1 : 0) }
        }
    }

    private func counted(_ redis: RedisClient) async throws -> Int {
        let keys = try await redis.send(RedisCommand("KEYS", "gateway/rate/*/amounts")).array ?? []
        #expect(keys.count == 1)
        let sum = try await redis.send(RedisCommand("HGET", keys.first?.string ?? "", "sum"))
        return Int(sum.string ?? "") ?? 0
    }
}
