import Common
import Subprocess
import TestSupport
import Testing

/// A limit that several ingresses share: real processes, and the rule that TrueFoundry's documentation shows.
@Suite(.timeLimit(.minutes(5))) struct RequestLimitTests {
    private static let limit = 1000
    private static let clients = 24

    /// Of 1,050 requests over three ingresses, one of which is replaced in between, exactly 1,000 reach the provider.
    @Test func `the thousand and first is refused by each ingress`() async throws {
        try await GatewayFleet.run(provider: .paced, environment: ["CONFIG_PATH": "gateway.yaml"]) { fleet in
            try fleet.folder.write(PolicyFixture.requestLimit, to: "gateway.yaml")
            try await fleet.forwarder { _ in
                try await fleet.ingress { _, first in
                    try await fleet.ingress { _, second in
                        var counts = Counts()
                        try await fleet.ingress { _, third in
                            counts += try await ask(380, at: [first, second, third], from: 0)
                        }
                        #expect(counts == Counts(answered: 380))
                        // A new process finds the counter where it was.
                        try await fleet.ingress { _, third in
                            counts += try await ask(670, at: [first, second, third], from: 380)
                            #expect(counts == Counts(answered: Self.limit, refused: 50))
                            #expect(fleet.provider.count == Self.limit)
                            try await expectOthersPass(third)
                        }
                    }
                }
            }
        }
    }

    /// A changed file counts at once after SIGHUP, and one with a mistake changes nothing.
    @Test func `the rules are read again on SIGHUP`() async throws {
        try await GatewayFleet.run(environment: ["CONFIG_PATH": "gateway.yaml"]) { fleet in
            try fleet.folder.write(Self.hourly("1"), to: "gateway.yaml")
            try await fleet.serve { process, port in
                try await withRawClient(to: port) { client in
                    #expect(try await statuses(2, of: client) == [200, 429])
                    try fleet.folder.write(Self.hourly("3"), to: "gateway.yaml")
                    try process.send(.terminalClosed)
                    try await process.line(with: "read the rules of CONFIG_PATH again")
                    #expect(try await statuses(3, of: client) == [200, 200, 429])
                    try fleet.folder.write(Self.hourly("many"), to: "gateway.yaml")
                    try process.send(.terminalClosed)
                    let line = try await process.line(with: "the rules stay as they were")
                    #expect(line.contains("gateway.yaml:3:25: error: "))
                    #expect(try await statuses(1, of: client) == [429])
                }
            }
        }
    }

    private static func hourly(_ limit: String) -> String {
        "type: gateway-rate-limiting-config\nrules:\n  - {id: all, limit_to: \(limit), unit: requests_per_hour}\n"
    }

    private func statuses(_ count: Int, of client: RawClient) async throws -> [Int] {
        var statuses: [Int] = []
        for _ in 0..<count {
            let answer = try await client.call("POST", ServeTests.path, body: ServeTests.body("mock/echo"))
            statuses.append(answer.status)
        }
        return statuses
    }

    /// The rule is for requests with its model and its metadata alone.
    private func expectOthersPass(_ port: Int) async throws {
        try await withRawClient(to: port) { client in
            let path = ServeTests.path
            let others = [("openai-main/gpt4", #"{"env":"prod"}"#), ("openai-main/gpt4o", #"{"env":"dev"}"#)]
            for (place, (model, metadata)) in others.enumerated() {
                let answer = try await client.call(
                    "POST", path, headers: ["X-TFY-METADATA: \(metadata)"],
                    body: ServeTests.body(model, "job-other-\(place)"))
                #expect(answer.status == 200)
                #expect(answer["x-tfy-applied-configurations"] == nil)
            }
            let refused = try await client.call(
                "POST", path, headers: [#"X-TFY-METADATA: {"env":"dev"}"#],
                body: ServeTests.body("openai-main/gpt4", "job-late"))
            #expect(refused.status == 429)
            #expect(refused.text.contains(#""rule":"openai-gpt4-dev-env""#))
            #expect(refused["x-tfy-applied-configurations"] == #"{"rate_limit":["openai-gpt4-dev-env"]}"#)
            #expect(refused["x-should-retry"] == "false")
        }
    }

    private struct Counts: Equatable, Sendable {
        var answered = 0
        var refused = 0
        var others = 0

        static func += (left: inout Self, right: Self) {
            left.answered += right.answered
            left.refused += right.refused
            left.others += right.others
        }
    }

    /// Makes so many requests, by clients that take the ingresses in turn.
    private func ask(_ count: Int, at ports: [Int], from first: Int) async throws -> Counts {
        try await withThrowingTaskGroup(of: Counts.self) { group in
            for client in 0..<Self.clients {
                group.addTask {
                    var counts = Counts()
                    try await withRawClient(to: ports[client % ports.count]) { connection in
                        for number in stride(from: first + client, to: first + count, by: Self.clients) {
                            let answer = try await connection.call(
                                "POST", ServeTests.path, headers: [#"X-TFY-METADATA: {"env":"dev"}"#],
                                body: ServeTests.body("openai-main/gpt4", "job-\(number)"))
                            switch answer.status {
                            case 200: counts.answered += 1
                            case 429: counts.refused += 1
                            default: counts.others += 1
                            }
                        }
                    }
                    return counts
                }
            }
            var all = Counts()
            for try await counts in group { all += counts }
            return all
        }
    }
}
