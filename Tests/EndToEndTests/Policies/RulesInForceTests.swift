import Common
import Redis
import Subprocess
import TestSupport
import Testing

/// Which rules are in force where: real processes.
@Suite(.timeLimit(.minutes(5))) struct RulesInForceTests {
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
    @Test func `ready warns of different rules`() async throws {
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
    @Test func `a trace has the rules hash`() async throws {
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

    /// Counters neither refill nor forget: of ten, four are used; SIGHUP, a broken file, and each ingress replaced by
    /// another leave six, or sixteen of a limit that was raised to twenty.
    @Test(arguments: [10, 20]) func `a reload neither refills nor forgets`(limit: Int) async throws {
        try await GatewayFleet.run(environment: ["CONFIG_PATH": "gateway.yaml"]) { fleet in
            try fleet.folder.write(Self.rules("10"), to: "gateway.yaml")
            try await fleet.forwarder { _ in
                try await fleet.ingress { first, firstPort in
                    try await fleet.ingress { second, secondPort in
                        #expect(try await admitted(of: 2, at: firstPort) == 2)
                        #expect(try await admitted(of: 2, at: secondPort) == 2)
                        for (text, line) in [
                            (Self.rules("10"), "read the rules of CONFIG_PATH again"),
                            (Self.rules("many"), "the rules stay as they were"),
                        ] {
                            try fleet.folder.write(text, to: "gateway.yaml")
                            for process in [first, second] {
                                try process.send(.terminalClosed)
                                try await process.line(with: line)
                            }
                        }
                        #expect(try await admitted(of: 1, at: secondPort) == 1, "as before the broken file")
                    }
                    try fleet.folder.write(Self.rules("\(limit)"), to: "gateway.yaml")
                    try await fleet.ingress { _, third in
                        let admitted = try await admitted(of: 1, at: third)
                        #expect(admitted == 1)
                    }
                }
                try await fleet.ingress { _, fourth in
                    try await fleet.ingress { _, fifth in
                        let rest = limit - 6
                        var left = try await admitted(of: rest / 2, at: fourth)
                        left += try await admitted(of: limit, at: fifth)
                        #expect(left == rest)
                        #expect(try await admitted(of: 3, at: fourth) == 0)
                    }
                }
            }
        }
    }

    /// How many of so many requests are let in.
    private func admitted(of count: Int, at port: Int) async throws -> Int {
        try await withRawClient(to: port) { client in
            var admitted = 0
            for _ in 0..<count {
                let answer = try await client.call("POST", ServeTests.path, body: ServeTests.body("mock/echo"))
                #expect([200, 429].contains(answer.status))
                if answer.status == 200 { admitted += 1 }
            }
            return admitted
        }
    }
}
