import TestSupport
import Testing

@testable import Common
@testable import Policies

/// Where the rules on load balancing and fallback send a call.
@Suite struct RoutingPolicyTests {
    private func facts(_ model: String, _ metadata: [String: String] = [:]) -> RequestFacts {
        RequestFacts(model: model, metadata: PolicyFixture.metadata(metadata))
    }

    @Test func `the examples of the documentation decide`() throws {
        let routing = try PolicyFixture.read(PolicyFixture.routes).routing
        var random = SeededRandom(seed: 1)
        let balanced = routing.route(for: facts("bedrock/llama3", ["customer-id": "customer1"]), using: &random)
        #expect(Set(balanced.steps.map(\.model)) == ["azure/bedrock-llama3", "aws/bedrock-llama3"])
        #expect(balanced.steps.allSatisfy { $0.rule == "llama-bedrock-customer1" } && balanced.fallback == 2)
        let fallback = routing.route(for: facts("bedrock/fallback", ["customer-id": "customer1"]), using: &random)
        #expect(fallback.steps.map(\.model) == ["bedrock/fallback", "azure/llama3", "aws/llama3"])
        #expect(fallback.fallback == 1 && fallback.fallbackFailures == [.status(500), .status(429)])
        for other in [
            facts("bedrock/llama3"), facts("bedrock/fallback", ["customer-id": "customer2"]),
            facts("m/n", ["customer-id": "customer1"]),
        ] {
            #expect(routing.route(for: other, using: &random).isEmpty)
        }
    }

    /// In any order of targets, with one that has no weight and one of weight 0.
    @Test(arguments: [
        ["a:60", "b:40"], ["b:40", "a:60"], ["c:0", "b", "a:60"], ["b:40", "c:0", "d:0", "a:60"],
        ["b:40", "c", "a:60"],
    ])
    func `shares are their weights`(targets: [String]) throws {
        let list = targets.map { target in
            let parts = target.split(separator: ":")
            return "{target: p/\(parts[0])" + (parts.count > 1 ? ", weight: \(parts[1])}" : "}")
        }
        let text =
            "type: gateway-load-balancing-config\nrules:\n  - {id: r, load_balance_targets: [\(list.joined(separator: ", "))]}"
        let routing = try PolicyFixture.read(text).routing
        var random = SeededRandom(seed: 7)
        var counts: [String: Int] = [:]
        var (longest, length, last) = (0, 0, "")
        for _ in 0..<10_000 {
            let first = try #require(routing.route(for: facts("m/n"), using: &random).steps.first).model
            counts[first, default: 0] += 1
            length = first == last ? length + 1 : 1
            (longest, last) = (max(longest, length), first)
        }
        #expect(abs((counts["p/a"] ?? 0) - 6000) < 200 && abs((counts["p/b"] ?? 0) - 4000) < 200, "\(counts)")
        #expect(counts.keys.allSatisfy { ["p/a", "p/b"].contains($0) })
        #expect(longest < 40, "in turn by chance, not in blocks")
    }

    @Test func `a target may demand metadata`() throws {
        let text = """
            type: gateway-load-balancing-config
            rules:
              - id: r
                load_balance_targets:
                  - {target: p/eu, weight: 100, metadata_match: {region: eu}}
                  - {target: p/any, weight: 0, fallback_candidate: false}
            """
        let routing = try PolicyFixture.read(text).routing
        var random = SeededRandom(seed: 1)
        #expect(routing.route(for: facts("m/n", ["region": "eu"]), using: &random).steps.map(\.model) == ["p/eu"])
        #expect(routing.route(for: facts("m/n"), using: &random).steps.map(\.model) == ["p/any"])
    }

    /// A subject that is left out is not everyone, and rules of two documents are looked at together.
    @Test func `only what matches all covers`() throws {
        func rule(_ id: String, _ when: String) -> String {
            "type: gateway-load-balancing-config\nrules:\n  - {id: \(id), when: {\(when)}, load_balance_targets: [{target: p/\(id)}]}\n"
        }
        let others = rule("a", #"subjects: {in: ["*"], not_in: [team:x]}"#) + "---\n" + rule("b", "subjects: [team:x]")
        #expect(problems(others).isEmpty)
        let all = rule("a", #"subjects: ["*"]"#) + "---\n" + rule("b", "subjects: [team:x]")
        #expect(problems(all).count == 1 && problems(all)[0].contains("`b` is never reached: `a`"))
    }

    /// A rule whose targets all demand metadata leaves the others to the next.
    @Test func `a rule without a target leaves the request to the next`() throws {
        let text = """
            type: gateway-load-balancing-config
            rules:
              - {id: eu, when: {models: [m/n]}, load_balance_targets: [{target: p/eu, metadata_match: {region: eu}}]}
              - {id: rest, when: {models: [m/n]}, load_balance_targets: [{target: p/rest}]}
            """
        let routing = try PolicyFixture.read(text).routing
        var random = SeededRandom(seed: 1)
        #expect(routing.route(for: facts("m/n"), using: &random).steps.map(\.model) == ["p/rest"])
    }

    @Test func `each target has one turn`() {
        let all: Set<Route.Failure> = [.status(500), .connectError]
        let route = Route(
            [
                .init("p/a", failures: all), .init("p/b", failures: [.timeout]), .init("p/c", failures: all),
                .init("p/a", failures: all), .init("p/d", failures: all),
            ],
            fallback: 3, fallbackFailures: [.status(500)])
        #expect(route.next(after: 0, .status(500), tried: [0]) == 1)
        #expect(route.next(after: 0, .status(429), tried: [0]) == nil)
        #expect(route.next(after: 0, .timeout, tried: [0]) == nil)
        // Not for the next target, but for the fallback; its first one had its turn.
        #expect(route.next(after: 1, .status(500), tried: [0, 1]) == 4)
        #expect(route.next(after: 1, .timeout, tried: [0, 1]) == 2)
        #expect(route.next(after: 2, .connectError, tried: [0, 1, 2]) == nil)
        #expect(route.next(after: 4, .status(500), tried: [0, 1, 4]) == nil)
    }

    private func problems(_ text: String) -> [String] {
        do {
            _ = try PolicyFixture.read(text)
            return []
        } catch {
            return (error as? ConfigurationError)?.problems.map(\.description) ?? ["\(error)"]
        }
    }

    @Test(
        arguments: [
            ("[{target: p/a, weight: 60}, {target: p/b, weight: 50}]", "add up to 110"),
            ("[{target: p/a, weight: 60}, {target: p/b, weight: 30}]", "add up to 90"),
            ("[{target: p/a, weight: 60}, {target: p/a, weight: 40}]", "twice"),
            ("[{target: a}]", "a slash and a model"),
            ("[]", "is empty"),
            ("[{target: p/a, priority: 1}]", "`priority` is not supported yet"),
            ("[{target: p/a, wieght: 1}]", "Did you mean `weight`?"),
            ("[{target: p/a, fallback_status_codes: [200]}]", "from 400 to 599"),
            ("[{target: p/a, fallback_status_codes: [steam_error]}]", "did you mean `stream_error`?"),
            ("[{target: p/a, retry_config: {attempts: 11}}]", "from 1 to 10"),
            ("[{target: p/a, retry_config: {delay: 1}}]", "needs `attempts`"),
            ("[{target: p/a, retry_config: {attempts: 1, delay: 60001}}]", "from 0 to 60000"),
            ("[{target: p/a, retry_config: {attempts: 1, on_status_code: [500]}}]", "Did you mean `on_status_codes`?"),
            ("[{target: p/a, override_params: {model: x}}]", "cannot set `model`"),
            ("[{target: p/a, override_params: {stream: true}}]", "cannot set `stream`"),
            ("[{target: p/a, override_params: {prompt_version_fqn: x}}]", "not supported yet"),
            ("[{target: p/a, override_params: {temperature: .5}}]", "write it such as `0.5`"),
            ("[{target: p/a, headers_override: {set: {Authorization: x}}}]", "keys belong in the secrets file"),
            ("[{target: p/a, headers_override: {remove: [Content-Length]}}]", "belongs to the connection"),
            ("[{target: p/a, headers_override: {set: {a b: x}}}]", "not a name of a header"),
            ("[{target: p/a, headers_override: {sett: {a: x}}}]", "Did you mean `set`?"),
        ]) func `a mistake in targets is shown`(targets: String, word: String)
    {
        let found = problems(
            "type: gateway-load-balancing-config\nrules:\n  - {id: r, load_balance_targets: \(targets)}")
        #expect(found.count == 1 && found[0].contains(word) && found[0].contains("gateway.yaml:3:"), "\(found)")
    }

    @Test func `a target may be called again and in another way`() throws {
        let text = """
            type: gateway-load-balancing-config
            rules:
              - id: r
                load_balance_targets:
                  - target: p/a
                    retry_config: {attempts: 2, delay: 50, on_status_codes: ["429", 503, connect_error]}
                    override_params: {temperature: 0.2, stop: ["a", "1"], user: null, top_p: "1", extra: {x: [true]}}
                    headers_override: {set: {X-Team: search}, remove: [OpenAI-Beta]}
            ---
            type: gateway-fallback-config
            rules:
              - id: f
                when: {response_status_codes: [ttft_timeout, stream_error, error_in_200]}
                fallback_models: [{target: p/b, retry_config: {attempts: 1}}]
            """
        var random = SeededRandom(seed: 1)
        let route = try PolicyFixture.read(text).routing.route(for: facts("m/n"), using: &random)
        let first = try #require(route.steps.first)
        #expect(
            first.retry == .init(attempts: 2, delay: 50, failures: [.status(429), .status(503), .connectError]))
        #expect(first.changes.members.map(\.name) == ["temperature", "stop", "user", "top_p", "extra"])
        #expect(
            first.changes.members.map(\.json) == ["0.2", #"["a","1"]"#, "null", #""1""#, #"{"x":[true]}"#])
        #expect(first.changes.headers == [HeaderField("x-team", "search")])
        #expect(first.changes.removedHeaders == ["openai-beta"])
        #expect(route.fallbackFailures == [.firstTokenTimeout, .streamError, .errorInSuccess])
        #expect(
            route.steps.last?.retry
                == .init(attempts: 1, delay: 100, failures: [.status(429), .status(500), .status(502), .status(503)]))
    }

    @Test func `what can never be is shown`() {
        let fallback = "type: gateway-fallback-config\nrules:\n"
        func rule(_ id: String, from model: String, to next: String) -> String {
            "  - {id: \(id), when: {models: [\(model)], response_status_codes: [500]}, fallback_models: [\(next)]}\n"
        }
        let cycle = problems(
            fallback + rule("1", from: "p/a", to: "p/b") + rule("2", from: "p/b", to: "p/c") + "---\n" + fallback
                + rule("3", from: "p/c", to: "p/a"))
        #expect(cycle.count == 1 && cycle[0].contains("p/a → p/b → p/c → p/a"), "\(cycle)")
        #expect(problems(fallback + rule("1", from: "p/a", to: "p/a"))[0].contains("p/a → p/a"))
        #expect(
            problems(fallback + rule("1", from: "p/a", to: "p/b") + rule("2", from: "p/a", to: "p/c"))[0].contains(
                "never reached"))
        #expect(
            problems(
                fallback + rule("1", from: "p/a", to: "p/b") + "---\n" + fallback + rule("1", from: "p/b", to: "p/c"))[
                    0
                ].contains(
                    "already another"))
        #expect(
            problems(fallback + "  - {id: 1, when: {models: [p/a]}, fallback_models: [p/b]}")[0].contains(
                "needs `response_status_codes`"))
        #expect(
            problems(
                "type: gateway-load-balancing-config\nrules:\n  - {id: r, type: latency-based-routing, load_balance_targets: [{target: p/a}]}"
            )[0].contains("not supported yet"))
    }

    @Test func `a route travels in its job`() throws {
        let route = Route(
            [
                .init("p/a", rule: "r", failures: [.status(429), .timeout]), .init("m/n"),
                .init("p/é", rule: "f", failures: [.connectError]),
            ],
            fallback: 2, fallbackFailures: [.status(500)])
        #expect(try Route(wireBytes: route.wireBytes[...]) == route)
    }
}
