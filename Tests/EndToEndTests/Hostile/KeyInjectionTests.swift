import Common
import Redis
import TestSupport
import Testing

/// Ids and keys of a client's choice are values: whatever they hold, they name one key in Redis, or none.
@Suite(.timeLimit(.minutes(5))) struct KeyInjectionTests {
    /// As they are, and as they stand in a path.
    private static let ids: [(name: String, written: String)] = [
        ("*", "*"), ("?", "%3F"), ("[a]", "%5Ba%5D"), ("{}", "%7B%7D"), ("{demo}", "%7Bdemo%7D"),
        ("gateway", "gateway"),
        ("gateway:jobs", "gateway%3Ajobs"), ("project", "project"), ("__proto__", "__proto__"),
        ("constructor", "constructor"),
        ("' OR 1=1 --", "%27%20OR%201%3D1%20--"), ("\"", "%22"), ("$(id)", "$%28id%29"), ("`id`", "%60id%60"),
        ("KEYS[1]", "KEYS%5B1%5D"),
        ("redis.call('FLUSHALL')", "redis.call%28%27FLUSHALL%27%29"), (#"\"#, "%5C"), ("日本", "%E6%97%A5%E6%9C%AC"),
        ("a b", "a%20b"), ("-1", "-1"),
        ("$", "$"), ("#", "%23"), ("a%b", "a%25b"), (#"{"a":1}"#, "%7B%22a%22%3A1%7D"), ("<script>", "%3Cscript%3E"),
        (String(repeating: "a", count: 128), String(repeating: "a", count: 128)),
    ]
    private static let refused = [
        "a%2Fb", "gateway%2Fjobs", "a%00", "a%0D%0Ab", "a%0Ab", "%7F", "%C2%85", "%FF", "%zz",
        String(repeating: "a", count: 129),
    ]

    private func call(_ gateway: HostileGateway, id: String, headers: [String] = []) async throws -> HTTPAnswer {
        let path =
            "/rollout_id/\(id)/invocation_id/\(id)/experiment_id/\(id)/run_id/\(id)/row_id/\(id)/chat/completions"
        return try await withRawClient(to: gateway.port) {
            try await $0.call("POST", path, headers: headers, body: HostileGateway.body("mock/echo"))
        }
    }

    private func keys(_ redis: RedisClient) async throws -> Set<String> {
        // A forwarder's byte counter and the request log's come and go, and an ingress's word some time after its
        // start.
        let passing: Set<String> = [
            Keys.jobBytes, Keys.ingresses, Keys.ingressRules, Keys.requests, Keys.requestBytes,
            Keys.verifierTrouble,
        ]
        let keys = try await redis.send(RedisCommand("KEYS", "*")).array ?? []
        return Set(keys.compactMap(\.string)).subtracting(passing)
    }

    @Test func `an ID names one key or none`() async throws {
        try await HostileGateway.run { connection, _ in
            try await connection.closed()
        } _: { gateway in
            try await withRedisClient(gateway.folder.redis) { redis in
                _ = try await redis.send(RedisCommand("SET", "canary", "alive"))
                var known = try await keys(redis)
                for (name, written) in Self.ids {
                    let answer = try await call(gateway, id: written)
                    #expect(answer.status == 200, "\(name): \(answer.text)")
                    let members = try await redis.send(RedisCommand("SMEMBERS", name)).array?.compactMap(\.string)
                    #expect(members == [answer["x-insertion-id"] ?? ""], "\(name)")
                    known.formUnion(KeySpace.local.keys(of: Rollout(name, project: "local")).kept)
                    #expect(try await keys(redis) == known, "\(name)")
                }
                for id in Self.refused + ["canary"] {
                    let answer = try await call(gateway, id: id)
                    #expect(answer.status == 400, "\(id): \(answer.text)")
                    #expect(try await keys(redis) == known, "\(id)")
                }
                #expect(try await redis.send(RedisCommand("GET", "canary")).string == "alive")
            }
        }
    }

    /// A bearer token is a secret and nothing else: not a key, not an argument of a script, not a line of the log.
    @Test func `a bearer token changes nothing in Redis`() async throws {
        let tokens = [
            "*", "{}", "' OR 1=1 --", "\"; FLUSHALL", "$(id)", "redis.call('FLUSHALL')", "../../x",
            String(repeating: "k", count: 16_000),
        ]
        try await HostileGateway.run { connection, _ in
            try await connection.closed()
        } _: { gateway in
            try await withRedisClient(gateway.folder.redis) { redis in
                _ = try await call(gateway, id: "demo")
                let known = try await keys(redis)
                for token in tokens {
                    let answer = try await call(gateway, id: "demo", headers: ["Authorization: Bearer \(token)"])
                    #expect([200, 400].contains(answer.status), "\(token.prefix(50)): \(answer.text)")
                    #expect(try await keys(redis) == known)
                }
                let large = try await call(
                    gateway, id: "demo", headers: ["Authorization: Bearer " + String(repeating: "k", count: 64 << 10)])
                #expect(large.status == 431)
                #expect(try await keys(redis) == known)
            }
        }
    }
}
