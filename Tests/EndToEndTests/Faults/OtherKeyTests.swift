import Common
import Redis
import TestSupport
import Testing

/// Parts with two keys on one Redis.
@Suite(.timeLimit(.minutes(5))) struct OtherKeyTests {
    private static let other = ["GATEWAY_KEY": "AQEB" + String(repeating: "AQEB", count: 9) + "AQE="]

    @Test(arguments: ["ingress", "forwarder", "verifier"]) func `a part with another key does not start`(
        part: String
    ) async throws {
        try await GatewayFleet.run(environment: ["LANGFUSE_HOST": "http://127.0.0.1:9"]) { fleet in
            try await fleet.forwarder { _ in
                try await eventually {
                    try await fleet.redis.send(RedisCommand("EXISTS", Keys.keyFingerprint)).int == 1
                }
                let ending = try await fleet.folder.run(
                    "metadata-gateway", arguments: [part], environment: fleet.environment.merging(Self.other) { $1 })
                #expect(ending.code == 78)
                for text in ["environment: GATEWAY_KEY: ", "DEL \(Keys.keyFingerprint)"] {
                    #expect(ending.output.contains(text), "\(ending.output)")
                }
                #expect(!ending.output.contains("AQEBAQEB"), "no key is said")
            }
        }
    }

    /// A database of its own is enough.
    @Test func `another database takes another key`() async throws {
        try await GatewayFleet.run(environment: ["LANGFUSE_HOST": "http://127.0.0.1:9"]) { fleet in
            try await fleet.forwarder { _ in
                try await eventually { try await fleet.alive().count == 1 }
                let ending = try await fleet.process("ingress", variables: Self.other.merging(["REDIS_DB": "1"]) { $1 })
                {
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
    @Test func `a forwarder takes nothing meanwhile`() async throws {
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

    /// The operator has replaced the key while jobs waited, and while answers could still be fetched.
    @Test func `jobs of a replaced key end with what happened`() async throws {
        let variables = ["LANGFUSE_HOST": "http://127.0.0.1:9", "REQUEST_TIMEOUT": "2"]
        try await GatewayFleet.run(environment: variables) { fleet in
            var (answered, queued) = ("", "")
            try await fleet.ingress { _, port in
                try await fleet.forwarder { _ in
                    try await eventually { try await fleet.alive().count == 1 }
                    let location = try await accept("mock/echo", at: port)
                    answered = location
                    try await withRawClient(to: port) { client in
                        let answer = try await client.call("GET", location + "?wait=30")
                        #expect(answer.status == 200)
                    }
                }
                queued = try await accept("mock/echo", at: port)
            }
            #expect(try await fleet.ids().count == 2)
            _ = try await fleet.redis.send(RedisCommand("DEL", Keys.keyFingerprint))
            let (done, waiting) = (answered, queued)
            try await fleet.ingress(Self.other) { _, port in
                try await withRawClient(to: port) { client in
                    let answer = try await client.call("GET", done)
                    #expect(answer.status == 502 && answer.error?.code == "job_lost", "\(answer.text)")
                    #expect(answer.text.contains("another GATEWAY_KEY"))
                }
                _ = try await fleet.process("forwarder", variables: Self.other) { forwarder in
                    try await forwarder.line(with: "takes up to")
                    try await eventually(within: .seconds(120)) { try await fleet.length(Keys.dead) == 1 }
                }
                try await withRawClient(to: port) { client in
                    for query in ["", "?wait=5"] {
                        let answer = try await client.call("GET", waiting + query)
                        #expect(answer.status == 502 && answer.error?.code == "job_lost", "\(answer.text)")
                        #expect(answer.text.contains("another GATEWAY_KEY"), "\(answer.text)")
                    }
                    let events = try await client.call("GET", waiting, headers: ["Accept: text/event-stream"])
                    #expect(events.status == 502 && events.text.contains("job_lost"), "\(events.text)")
                }
            }
            let left = try await fleet.ids()
            #expect(left.count == 1 && left.allSatisfy { answered.hasSuffix($0) }, "what succeeded stays")
            #expect(try await fleet.length(Keys.jobs) == 0)
        }
    }

    private func accept(_ model: String, at port: Int) async throws -> String {
        try await withRawClient(to: port) { client in
            let answer = try await client.call(
                "POST", ServeTests.path, headers: ["Prefer: respond-async"], body: ServeTests.body(model))
            #expect(answer.status == 202)
            return try #require(answer["location"])
        }
    }
}
