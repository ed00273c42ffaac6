import Common
import Redis
import TestSupport
import Testing

/// Which rules are in force where: real processes.
@Suite(.timeLimit(.minutes(2))) struct RulesInForceTests {
    private static func rules(_ limit: String) -> String {
        "type: gateway-rate-limiting-config\nrules:\n  - {id: all, limit_to: \(limit), unit: requests_per_hour}\n"
    }

    private func ready(_ ports: [Int], _ isMeant: (String) -> Bool) async throws {
        for port in ports {
            try await withRawClient(to: port) { client in
                try await eventually {
                    let answer = try await client.call("GET", "/ready")
                    return answer.status == 200 && isMeant(answer.text)
                }
            }
        }
    }

    /// One ingress takes a change over, and the other's file is broken: both say so, and name both, until it is mended.
    @Test func readyWarnsOfDifferentRules() async throws {
        try await GatewayFleet.run { fleet in
            for name in ["a.yaml", "b.yaml"] { try fleet.folder.write(Self.rules("1"), to: name) }
            try await fleet.forwarder { _ in
                try await fleet.ingress(["CONFIG_PATH": "a.yaml"]) { first, firstPort in
                    try await fleet.ingress(["CONFIG_PATH": "b.yaml"]) { second, secondPort in
                        let ports = [firstPort, secondPort]
                        let warning = "different rules (CONFIG_PATH) are in force"
                        try await eventually {
                            try await fleet.redis.send(RedisCommand("ZCARD", Keys.ingresses)).int == 2
                        }
                        try await ready(ports) { !$0.contains(warning) }
                        try fleet.folder.write(Self.rules("2"), to: "a.yaml")
                        try fleet.folder.write(Self.rules("many"), to: "b.yaml")
                        try await first.line(with: "read the rules of CONFIG_PATH again")
                        try await second.line(with: "the rules stay as they were")
                        try await ready(ports) { text in
                            text.contains(warning)
                                && [first.id, second.id].allSatisfy { text.contains(":\($0)/") }
                        }
                        try fleet.folder.write(Self.rules("2"), to: "b.yaml")
                        try await second.line(with: "read the rules of CONFIG_PATH again")
                        try await ready(ports) { !$0.contains(warning) }
                    }
                    // An ingress that ends is forgotten, also one with other rules.
                    try await fleet.ingress { _, third in
                        try await ready([firstPort, third]) { $0.contains("none in ") }
                    }
                    try await ready([firstPort]) { !$0.contains("different rules") }
                }
            }
        }
    }

    /// A completion's trace says which rules were in force, and which limits it was counted on.
    @Test func aTraceHasTheRulesHash() async throws {
        try await ProgramFolder.with { folder in
            try folder.write(Self.rules("9"), to: "gateway.yaml")
            _ = try await folder.serve(environment: ["CONFIG_PATH": "gateway.yaml"]) { _, port in
                try await withRawClient(to: port) { client in
                    let explained = try await client.call("POST", "/rules/explain", body: #"{"model": "m"}"#).text
                    let hash = try #require(explained.firstMatch(of: /"rules_hash":"([0-9a-f]{16})"/)?.output.1)
                    let answer = try await client.call(
                        "POST", ServeTests.path, body: ServeTests.body("mock/echo"))
                    #expect(answer.status == 200)
                    #expect(try await client.call("GET", "/rollouts/demo?wait=30").text.contains("complete"))
                    let traces = try await client.call("GET", "/traces?tags=rollout_id:demo").text
                    #expect(traces.contains(#""gateway_rules_hash":"\#(hash)""#), "\(traces)")
                    #expect(traces.contains(#""gateway_rate_limits":"all""#))
                }
            }
        }
    }
}
