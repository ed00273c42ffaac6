import Common
import Redis
import TestSupport
import Testing

/// Parts with two keys on one Redis.
@Suite(.timeLimit(.minutes(5))) struct OtherKeyTests {
    private static let other = ["GATEWAY_KEY": "AQEB" + String(repeating: "AQEB", count: 9) + "AQE="]

    @Test(arguments: ["ingress", "forwarder", "verifier"]) func aPartWithAnotherKeyDoesNotStart(
        part: String
    ) async throws {
        try await GatewayFleet.run(environment: ["LANGFUSE_HOST": "http://127.0.0.1:9"]) { fleet in
            try await fleet.forwarder { _ in
                try await eventually {
                    try await fleet.redis.send(RedisCommand("EXISTS", Keys.keyFingerprint)).int == 1
                }
                let ending = try await fleet.folder.run(
                    "metadata-gateway", [part], environment: fleet.environment.merging(Self.other) { $1 })
                #expect(ending.code == 78)
                for text in ["environment: GATEWAY_KEY: ", "DEL \(Keys.keyFingerprint)"] {
                    #expect(ending.output.contains(text), "\(ending.output)")
                }
                #expect(!ending.output.contains("AQEBAQEB"), "no key is said")
            }
        }
    }

    /// A database of its own is enough.
    @Test func anotherDatabaseTakesAnotherKey() async throws {
        try await GatewayFleet.run(environment: ["LANGFUSE_HOST": "http://127.0.0.1:9"]) { fleet in
            try await fleet.forwarder { _ in
                try await eventually { try await fleet.alive().count == 1 }
                let ending = try await fleet.process("ingress", Self.other.merging(["REDIS_DB": "1"]) { $1 }) {
                    ingress in
                    let port = try port(in: try await ingress.line(with: "listens on"))
                    try await withRawClient(to: port) { client in
                        try await eventually {
                            try await client.call("GET", "/ready").text.contains("no live forwarder")
                        }
                    }
                }
                #expect(ending.code == 0, "\(ending.output)")
            }
        }
    }

    /// A forwarder that finds another key on the way takes nothing more, and goes on when the key is right again.
    @Test func aForwarderTakesNothingMeanwhile() async throws {
        try await GatewayFleet.run(environment: ["LANGFUSE_HOST": "http://127.0.0.1:9"]) { fleet in
            let ending = try await fleet.forwarder { forwarder in
                try await eventually { try await fleet.alive().count == 1 }
                // It says its key beside, and not before, that it is alive.
                try await eventually {
                    try await fleet.redis.send(RedisCommand("EXISTS", Keys.keyFingerprint)).int == 1
                }
                let own = try #require(try await fleet.redis.send(RedisCommand("GET", Keys.keyFingerprint)).string)
                _ = try await fleet.redis.send(RedisCommand("SET", Keys.keyFingerprint, "another"))
                try await forwarder.line(with: "another GATEWAY_KEY")
                // The read that was blocked by then may take one.
                try await eventually { try await fleet.blockedReaders() == 0 }
                for _ in 0..<3 {
                    _ = try await fleet.redis.send(RedisCommand("XADD", Keys.jobs, "*", "i", "x", "p", "y"))
                }
                #expect(try await fleet.pending().isEmpty)
                #expect(try await fleet.length(Keys.dead) == 0)
                _ = try await fleet.redis.send(RedisCommand("SET", Keys.keyFingerprint, own))
                try await forwarder.line(with: "Redis can be used again")
                try await eventually { try await fleet.length(Keys.dead) == 3 }
            }
            #expect(ending.code == 0)
            #expect(ending.output.ranges(of: "another GATEWAY_KEY").count == 1, "once: \(ending.output)")
        }
    }
}
