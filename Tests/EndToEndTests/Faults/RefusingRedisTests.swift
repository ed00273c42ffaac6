import Common
import FoundationEssentials
import TestSupport
import Testing

/// The parts as processes of their own, before a Redis that answers and refuses.
@Suite(.timeLimit(.minutes(5))) struct RefusingRedisTests {
    private static let environment = ["DRAIN_SECONDS": "2", "LANGFUSE_HOST": "http://127.0.0.1:9"]
    /// `DRAIN_SECONDS` and 15 s, for a part by itself.
    private static let documentedEnd = Duration.seconds(17)

    /// A job whose client left before the server began to refuse was insisted on for ever.
    @Test func `a part stops in its time`() async throws {
        var stopped: (ingress: ContinuousClock.Instant?, forwarder: ContinuousClock.Instant?)
        try await GatewayFleet.run(environment: Self.environment) { fleet in
            let forwarder = try await fleet.forwarder { forwarder in
                let ingress = try await fleet.ingress { ingress, port in
                    try await withRawClient(to: port) { waiting in
                        try await waiting.send(
                            "POST", ServeTests.path, body: ServeTests.body("mock/echo?delay_ms=100000"))
                        try await withRawClient(to: port) { client in
                            try await client.send(
                                "POST", ServeTests.path, body: ServeTests.body("mock/echo?delay_ms=100000"))
                            // The stream comes with the first job.
                            try await eventually { (try? await fleet.pending().values.reduce(0, +)) == 2 }
                            try await fleet.server.administer(["CONFIG", "SET", "min-replicas-to-write", "1"])
                            try await ingress.line(with: "Redis refuses (NOREPLICAS): ")
                            try await forwarder.line(with: "Redis refuses (NOREPLICAS): ")
                        }
                        for id in try await fleet.ids() {
                            try await fleet.server.administer(["PUBLISH", Keys.cancellations, id])
                        }
                    }
                    stopped.ingress = .now
                }
                #expect(try #require(stopped.ingress).duration(to: .now) < Self.documentedEnd)
                #expect(ingress.code == 0)
                stopped.forwarder = .now
            }
            #expect(try #require(stopped.forwarder).duration(to: .now) < Self.documentedEnd)
            #expect(forwarder.code == 0)
            for ending in [forwarder] {
                #expect(ending.output.ranges(of: "Redis refuses (NOREPLICAS): ").count == 1, "\(ending.output)")
            }
        }
    }

    /// Each part goes to the new primary, and says what happened once.
    @Test func `every part finds the new primary`() async throws {
        try await GatewayFleet.run(environment: Self.environment) { fleet in
            try await withRedisServer { latter in
                let link = fleet.server.folder + "/link"
                try lead(link, to: fleet.server)
                let address = ["REDIS_HOST": "unix:" + link]
                var endings: [GatewayProcess.Ending] = []
                endings += [
                    try await fleet.process("verifier", variables: address) { verifier in
                        endings += [
                            try await fleet.process("forwarder", variables: address) { forwarder in
                                endings += [
                                    try await fleet.process("ingress", variables: address) { ingress in
                                        let port = try port(in: try await ingress.line(with: "listens on"))
                                        try await eventually(within: .seconds(30)) { try await isServed(port) }
                                        try await fleet.server.administer(["REPLICAOF", "127.0.0.1", "1"])
                                        for part in [verifier, forwarder, ingress] {
                                            try await part.line(with: "Redis refuses (READONLY): ")
                                        }
                                        try lead(link, to: latter)
                                        let moved = ContinuousClock.now
                                        try await eventually(within: .seconds(30)) { try await isServed(port) }
                                        #expect(moved.duration(to: .now) < .seconds(5))
                                    }
                                ]
                            }
                        ]
                    }
                ]
                for ending in endings {
                    #expect(ending.code == 0)
                    #expect(ending.output.ranges(of: "Redis refuses (READONLY): ").count == 1, "\(ending.output)")
                    #expect(ending.output.ranges(of: "Redis can be used again").count == 1, "\(ending.output)")
                }
            }
        }
    }

    /// Whether all parts do their work.
    private func isServed(_ port: Int) async throws -> Bool {
        try await withRawClient(to: port) { client in
            guard try await client.call("GET", "/ready").status == 200 else { return false }
            let answer = try await client.call("POST", ServeTests.path, body: ServeTests.body("mock/echo"))
            guard answer.status == 200 else { return false }
            return try await client.call("GET", "/rollouts/demo").status == 200
        }
    }

    private func lead(_ link: String, to server: RedisServer) throws {
        try? FileManager.default.removeItem(atPath: link)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: server.folder + "/redis.sock")
    }
}
