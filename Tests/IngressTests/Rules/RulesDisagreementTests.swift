import Common
import Queue
import Redis
import TestSupport
import Testing

@testable import Ingress

/// Ingress processes with different rules.
@Suite(.timeLimit(.minutes(5))) struct RulesDisagreementTests {
    @Test(
        arguments: [
            [], [("a", "1")], [("a", "1"), ("b", "1"), ("c", "1")], [("a", ""), ("b", "")],
        ] as [[(String, String)]])
    func `the same rules are no disagreement`(processes: [(String, String)]) {
        #expect(RulesDisagreement(processes.map { (name: $0.0, hash: $0.1) }) == nil)
    }

    @Test func `processes are named by their rules, the most first`() throws {
        let found = try #require(
            RulesDisagreement([("a", "2"), ("b", "1"), ("c", "2"), ("d", "")].map { (name: $0.0, hash: $0.1) }))
        #expect(found.warning.contains("are in force: 2 in a, c; none in d; 1 in b. "), "\(found.warning)")
    }

    @Test func `a warning is bounded`() throws {
        let many = (0..<500).map { (name: "process-\($0)", hash: "\($0 % 20)") }
        let found = try #require(RulesDisagreement(many))
        #expect(found.warning.utf8.count < 1000 && found.warning.contains(" and 20 more"))
        #expect(found.warning.contains("; and others"))
    }

    @Test func `what was said is forgotten, and kept in two keys`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                let fleet = RulesFleet(redis: redis)
                #expect(try await fleet.processes().isEmpty)
                for hash in ["1", "2"] { try await fleet.announce(hash, of: "a") }
                try await fleet.announce("", of: "b")
                #expect(try await fleet.processes().map { [$0.name, $0.hash] } == [["a", "2"], ["b", ""]])
                for key in [Keys.ingresses, Keys.ingressRules] {
                    #expect((1...15_000).contains(try await redis.send(RedisCommand("PTTL", key)).int ?? 0), "\(key)")
                }
                // As if "a" had said nothing for longer than its word is good.
                _ = try await redis.send(RedisCommand("ZADD", Keys.ingresses, 1, "a"))
                #expect(try await fleet.processes().map(\.name) == ["b"])
                try await fleet.announce("3", of: "c")
                #expect(try await redis.send(RedisCommand("HKEYS", Keys.ingressRules)).array?.count == 2)
                try await fleet.leave("b")
                #expect(try await fleet.processes().map(\.name) == ["c"])
                #expect(try await redis.send(RedisCommand("HKEYS", Keys.ingressRules)).array?.count == 1)
            }
        }
    }
}
