import TestSupport
import Testing

@testable import Common
@testable import Policies

/// Which limits a request meets.
@Suite struct RateLimitPolicyTests {
    private func policy(_ rules: String, _ top: String = "") throws -> RateLimitPolicy {
        let text = "type: gateway-rate-limiting-config\n\(top)rules:\n\(rules)"
        return try #require(PolicyFixture.read(text).rateLimits.first)
    }

    private func facts(
        model: String? = "openai-main/gpt4", user: String? = nil, teams: [String] = [], account: String? = nil,
        _ metadata: [String: String] = [:], origin: ResolvedMetadata.Origin = .header
    ) -> RequestFacts {
        RequestFacts(
            caller: Caller(account: account, user: user, teams: teams), model: model,
            metadata: PolicyFixture.metadata(metadata, from: origin))
    }

    private func ids(_ policy: RateLimitPolicy, _ facts: RequestFacts) -> [String] {
        policy.limits(for: facts).map { $0.name(for: facts) }
    }

    @Test func `a rule names model and metadata`() throws {
        let policy = try #require(try PolicyFixture.read(PolicyFixture.requestLimit).rateLimits.first)
        #expect(ids(policy, facts(["env": "dev"])) == ["openai-gpt4-dev-env"])
        #expect(ids(policy, facts(["env": "prod"])) == [])
        #expect(ids(policy, facts()) == [])
        #expect(ids(policy, facts(model: "openai-main/gpt4o", ["env": "dev"])) == [])
        #expect(ids(policy, facts(model: nil, ["env": "dev"])) == [])
        #expect(policy.rules[0].limit == 1000)
        #expect(policy.rules[0].window.milliseconds == 86_400_000)
    }

    @Test func `every spelling of subjects is read`() throws {
        let policy = try policy(
            """
              - {id: any, when: {subjects: ["*"]}, limit_to: 1, unit: requests_per_minute}
              - {id: user, when: {subjects: "user:bob@example.com"}, limit_to: 1, unit: requests_per_minute}
              - {id: team, when: {subjects: [team:a, team:b]}, limit_to: 1, unit: requests_per_minute}
              - id: account
                when: {subjects: {in: [virtualaccount:x, virtual-account:y, serviceaccount:z]}}
                limit_to: 1
                unit: requests_per_minute
              - {id: other, when: {subjects: {not_in: [team:a]}}, limit_to: 1, unit: requests_per_minute}
            """)
        #expect(ids(policy, facts()) == ["any", "other"])
        #expect(
            ids(policy, facts(user: "bob@example.com", teams: ["b"], account: "z")) == [
                "any", "user", "team", "account", "other",
            ])
        #expect(ids(policy, facts(teams: ["a", "c"])) == ["any", "team"])
    }

    @Test func `a value is compared in many ways`() throws {
        func holds(_ test: String, _ value: String?) throws -> Bool {
            let policy = try policy("  - {id: r, when: {metadata: {k: \(test)}}, limit_to: 1, unit: requests_per_hour}")
            return !ids(policy, facts(value.map { ["k": $0] } ?? [:])).isEmpty
        }
        #expect(try holds("{in: [a, b]}", "b") && !holds("{in: [a, b]}", "c") && !holds("{in: [a, b]}", nil))
        #expect(try holds("{not_in: [a]}", "b") && !holds("{not_in: [a]}", "a") && holds("{not_in: [a]}", nil))
        #expect(
            try holds("{regex: 'v[0-9]+'}", "v12") && !holds("{regex: 'v[0-9]+'}", "v12x")
                && !holds("{regex: 'v[0-9]+'}", nil))
        #expect(try holds("{present: true}", "") && !holds("{present: true}", nil) && holds("{present: false}", nil))
        #expect(
            try holds("{gt: 5}", "5.5") && !holds("{gt: 5}", "5") && !holds("{gt: 5}", "much") && !holds("{gt: 5}", nil)
        )
        #expect(try holds("{gte: 5, lt: 7}", "5") && !holds("{gte: 5, lt: 7}", "7") && holds("{lte: 7}", "7"))
        // By bytes: neither Unicode's equivalence nor case joins two values.
        #expect(try !holds("\u{e9}", "e\u{301}") && !holds("Dev", "dev") && holds("\u{e9}", "\u{e9}"))
    }

    /// A client can claim any value that the operator left unset.
    @Test func `a rule can demand who set a value`() throws {
        let policy = try policy(
            """
              - {id: trusted, when: {metadata: {team: b}, metadata_from: key}, limit_to: 1, unit: requests_per_minute}
              - {id: claimed, when: {metadata: {team: b}}, limit_to: 1, unit: requests_per_minute}
            """)
        #expect(ids(policy, facts(["team": "b"])) == ["claimed"])
        #expect(ids(policy, facts(["team": "b"], origin: .key)) == ["trusted", "claimed"])
    }

    @Test func `the first match alone counts where the document says so`() throws {
        let rules = """
              - {id: narrow, when: {models: [m]}, limit_to: 1, unit: requests_per_minute}
              - {id: wide, limit_to: 1, unit: requests_per_minute}
            """
        #expect(ids(try policy(rules), facts(model: "m")) == ["narrow", "wide"])
        #expect(ids(try policy(rules, "evaluate: first_match\n"), facts(model: "m")) == ["narrow"])
        #expect(ids(try policy(rules, "evaluate: first_match\n"), facts(model: "n")) == ["wide"])
    }

    @Test func `counters are kept apart`() throws {
        let policy = try policy(
            """
              - {id: "{user}-daily-limit", limit_to: 1, unit: requests_per_day}
              - {id: two, limit_to: 1, unit: requests_per_day, rate_limit_applies_per: [model, metadata.run]}
              - {id: one, limit_to: 1, unit: requests_per_day}
            """)
        func counters(_ facts: RequestFacts) -> [[UInt8]] { policy.limits(for: facts).map(\.counter) }
        let first = counters(facts(user: "alice", ["run": "1"]))
        let second = counters(facts(user: "bob", ["run": "1"]))
        let third = counters(facts(user: "alice", ["run": "2"]))
        #expect(first[0] != second[0] && first[0] == third[0])
        #expect(first[1] == second[1] && first[1] != third[1])
        #expect(first[2] == second[2] && first[2] == third[2])
        #expect(Set(first).count == 3)
        #expect(counters(facts())[0] != counters(facts(user: ""))[0], "no user is not the user without a name")
        #expect(ids(policy, facts(user: "alice"))[0] == "alice-daily-limit")
    }

    /// What stands in braces and is not a placeholder is text.
    @Test func `an id names its placeholders`() {
        let name = RuleName("a{user}b{metadata.k}{model")
        #expect(name.parts == [.user, .metadata("k")] && name.unknown.isEmpty)
        #expect(name.filled(for: facts(user: "u", ["k": "v"])) == "aubv{model")
        #expect(name.filled(for: facts()) == "ab{model")
        #expect(RuleName("{usr}-daily").unknown == ["usr"])
        #expect(RuleName("plain").parts.isEmpty && RuleName("{account}").filled(for: facts(account: "x")) == "x")
    }

    /// The index finds what looking at every rule finds.
    @Test func `the index finds what a scan finds`() throws {
        var random = SeededRandom(seed: 5)
        for _ in 0..<60 {
            let rules = (0..<1 + random.below(12)).map { place in
                var when: [String] = []
                if random.chance(oneIn: 2) {
                    when.append("models: [\(random.pick(["m", "n"])), \(random.pick(["o", "p"]))]")
                }
                let tests = ["a: 1", "a: 2", "b: {in: [1, 2]}", "b: {not_in: [1]}", "a: {present: false}"]
                if random.chance(oneIn: 2) { when.append("metadata: {\(random.pick(tests))}") }
                if random.chance(oneIn: 4) { when.append("subjects: [team:\(random.pick(["x", "y"]))]") }
                return
                    "  - {id: r\(place), when: {\(when.joined(separator: ", "))}, limit_to: 1, unit: requests_per_minute}"
            }
            let policy = try policy(rules.joined(separator: "\n"))
            for _ in 0..<30 {
                var metadata: [String: String] = [:]
                for key in ["a", "b"] where random.chance(oneIn: 2) { metadata[key] = random.pick(["1", "2", "3"]) }
                let facts = facts(
                    model: random.pick(["m", "n", "o", "q", nil]), teams: random.pick([[], ["x"], ["x", "y"]]), metadata
                )
                #expect(ids(policy, facts) == policy.rules.filter { $0.when.holds(for: facts) }.map(\.id))
            }
        }
    }
}

/// What is wrong in a file, where, and what was probably meant.
@Suite struct RateLimitDecodingTests {
    private func problems(_ text: String) -> [String] {
        do {
            _ = try PolicyFixture.read(text)
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test(
        arguments: [
            ("limit_to: 1, unit: requests_per_minute", ["gateway.yaml:3:5", "needs `id`"]),
            ("id: a, unit: requests_per_minute", ["gateway.yaml:3:5", "needs `limit_to`"]),
            ("id: a, limit_to: 0, unit: requests_per_minute", ["gateway.yaml:3:23", "whole number from 1"]),
            (
                "id: a, limit_to: 1, unit: request_per_minute",
                ["gateway.yaml:3:32", "Did you mean `requests_per_minute`?"]
            ),
            ("id: a, limit_to: 1, unit: token_per_minute", ["gateway.yaml:3:32", "Did you mean `tokens_per_minute`?"]),
            (
                "id: a, limit_to: 1, unit: requests_per_day, default_output: 5",
                ["gateway.yaml:3:66", "for limits on `tokens`"]
            ),
            (
                "id: a, limit_to: 1, unit: requests_per_day, on_limit: wait",
                ["gateway.yaml:3:50", "`on_limit` is not supported yet"]
            ),
            ("id: a, limit_to: 1, unit: requests_per_day, wehn: {}", ["gateway.yaml:3:50", "Did you mean `when`?"]),
            (
                "id: a, limit_to: 1, unit: requests_per_day, mode: audti",
                ["gateway.yaml:3:56", "Did you mean `audit`?"]
            ),
            (
                "id: a, limit_to: 1, unit: requests_per_day, when: {subjects: [bob]}",
                ["gateway.yaml:3:68", "`user:NAME`"]
            ),
            ("id: a, limit_to: 1, unit: requests_per_day, when: {models: []}", ["gateway.yaml:3:65", "is empty"]),
            (
                "id: a, limit_to: 1, unit: requests_per_day, when: {metadata: {k: {regex: '('}}}",
                ["is not an expression"]
            ),
            ("id: a, limit_to: 1, unit: requests_per_day, when: {metadata: {k: {gt: many}}}", ["must be a number"]),
            ("id: a, limit_to: 1, unit: requests_per_day, when: {metadata_from: key}", ["needs `metadata`"]),
            ("id: a, limit_to: 1, unit: requests_per_day, rate_limit_applies_per: [team]", ["`metadata.KEY`"]),
        ]) func `a mistake is shown`(rule: String, words: [String])
    {
        let found = problems("type: gateway-rate-limiting-config\nrules:\n  - {\(rule)}\n")
        #expect(found.count == 1)
        for word in words { #expect(found.first?.contains(word) == true, "\(found)") }
    }

    @Test func `all mistakes are shown at once`() {
        let found = problems(
            """
            type: gateway-rate-limiting-config
            evaluate: first_match
            rules:
              - {id: a, limit_to: 1, unit: requests_per_day}
              - {id: a, limit_to: x, unit: requests_per_day}
              - {id: a, limit_to: 1, unit: requests_per_day}
              - {id: b, limit_to: 1, unit: requests_per_week, mode: no}
            """)
        #expect(found.count == 5, "\(found)")
        #expect(found.contains { $0.contains("gateway.yaml:6:5") && $0.contains("already another rule's") })
        #expect(found.contains { $0.contains("gateway.yaml:6:5") && $0.contains("never reached") })
    }
}

extension RateLimitPolicy {
    /// The limits that a request meets, in the order of the rules.
    fileprivate func limits(for facts: RequestFacts) -> [RateLimit] {
        var found: [RateLimit] = []
        addLimits(for: facts, to: &found)
        return found
    }
}
