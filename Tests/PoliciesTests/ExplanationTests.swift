import Common
import JSON
import TestSupport
import Testing

@testable import Policies

/// What is said of rules is what they decide.
@Suite struct ExplanationTests {
    private static let values = ["a", "b", "7", "42", "é"]
    private static let keys = ["env", "team", "n", "run_id"]
    private static let models = ["p/one", "p/two", "q/one"]
    private static let names = ["ada", "bob", "red"]

    /// For random rules and requests: a rule is said to match exactly where its condition holds, the limits that are
    /// said to count are those that are counted, and the rules that are said to decide make the route.
    @Test(arguments: 0..<300) func `an explanation is what is decided`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let conditions = (0..<6).map { _ in Self.condition(&random) }
        let policies = try Self.policies(conditions, &random)
        for _ in 0..<20 {
            let facts = Self.facts(&random)
            let explanation = Explanation(policies, facts, body: [], hasBaseURL: false, view: .full)
            #expect(explanation.limits.map(\.matches) == conditions.map { $0.holds(for: facts) }, "seed \(seed)")
            #expect(explanation.fallbacks.map(\.matches) == conditions.map { $0.holds(for: facts) })
            #expect(explanation.balancing.map(\.matches) == conditions.map { $0.holds(for: facts) })
            #expect(
                explanation.limits.filter { $0.limit != nil }.map(\.id)
                    == policies.rateLimits(for: facts).map(\.rule.id))
            let route = policies.routing.route(for: facts, using: &random)
            let balancing = explanation.balancing.first(where: \.decides)
            let fallback = explanation.fallbacks.first(where: \.decides)
            let steps = route.steps[..<route.fallback]
            #expect(steps.first?.rule == (route.isEmpty ? nil : balancing?.id), "seed \(seed)")
            #expect(route.steps[route.fallback...].map(\.model) == fallback?.targets.map(\.model) ?? [])
            #expect(route.steps[route.fallback...].map(\.retry) == fallback?.targets.map(\.retry) ?? [])
            guard let balancing else { continue }
            let first = try #require(steps.first?.model)
            #expect(balancing.targets.contains { $0.model == first && $0.unmet.isEmpty && $0.share > 0 })
            let others = balancing.targets.filter { $0.unmet.isEmpty && ($0.takesFallback || $0.model == first) }
            #expect(Set(texts: steps.map(\.model)) == Set(texts: others.map(\.model)))
            for step in steps {
                #expect(balancing.targets.first { $0.model == step.model }?.retry == step.retry, "seed \(seed)")
            }
            #expect(abs(balancing.targets.reduce(0) { $0 + $1.share } - 1) < 1e-9)
        }
    }

    /// The shares are those by which targets are chosen.
    @Test func `a share is how often a target comes first`() throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-load-balancing-config
            rules:
              - id: b
                load_balance_targets:
                  - {target: p/a, weight: 50}
                  - {target: p/b, weight: 30}
                  - {target: p/c, weight: 20, metadata_match: {team: red}}
                  - {target: p/d, weight: 0}
            """)
        let facts = RequestFacts(model: "m")
        let explanation = Explanation(policies, facts, body: [], hasBaseURL: false, view: .full)
        #expect(explanation.balancing[0].targets.map(\.share) == [0.625, 0.375, 0, 0])
        #expect(explanation.balancing[0].targets.map { $0.unmet.isEmpty } == [true, true, false, true])
        var (random, count) = (SeededRandom(seed: 3), 0)
        for _ in 0..<10_000 {
            if policies.routing.route(for: facts, using: &random).steps.first?.model == "p/a" { count += 1 }
        }
        #expect(abs(count - 6250) < 200)
    }

    private static let rules = """
        type: gateway-rate-limiting-config
        rules:
          - {id: dev, when: {models: [p/one], metadata: {env: dev}}, limit_to: 10, unit: requests_per_day}
          - id: ada
            when: {subjects: ["user:ada"]}
            limit_to: 1
            unit: requests_per_minute
          - id: verified
            when: {metadata: {customer: acme}, metadata_from: key}
            limit_to: 1
            unit: requests_per_minute
          - {id: "{metadata.env}", limit_to: 5, unit: tokens_per_hour}
        """

    private static func explanation(
        _ view: Explanation.View, model: String = "p/two", env: String = "prod", body: String = ""
    ) throws -> Explanation {
        Explanation(
            try PolicyFixture.read(rules),
            RequestFacts(
                caller: Caller(account: "x", user: "bob"), model: model,
                metadata: PolicyFixture.metadata(["env": env, "customer": "acme"])), body: Array(body.utf8),
            hasBaseURL: false, view: view)
    }

    @Test func `each part that fails is told with what it wants and what is there`() throws {
        let explanation = try Self.explanation(.full)
        #expect(explanation.limits.map(\.id) == ["dev", "ada", "verified", "{metadata.env}"])
        func parts(_ place: Int) -> [[String?]] {
            explanation.limits[place].unmet.map { [$0.part, $0.wants, $0.found, $0.origin?.name] }
        }
        #expect(
            parts(0) == [["models", "one of `p/one`", "p/two", nil], ["metadata.env", "`dev`", "prod", "header"]])
        #expect(parts(1) == [["subjects", "one of `user:ada`", "account:x, user:bob", nil]])
        #expect(parts(2) == [["metadata.customer", "`acme`, set by the key", "acme", "header"]])
        #expect(explanation.limits[3].matches && explanation.limits[3].name == "prod")
    }

    /// A client sees neither the rules that are for others alone, nor what others' rules ask for, nor a counter of a
    /// value that any client may claim.
    @Test func `a client is shown what concerns it`() throws {
        let explanation = try Self.explanation(.own)
        #expect(explanation.limits.map(\.id) == ["dev", "{metadata.env}"])
        #expect(explanation.limits.map(\.mayShowUsage) == [true, false])
        let text = String(decoding: explanation.json, as: UTF8.self)
        for secret in ["\"ada\"", "user:ada", "verified", "p/one", "dev`"] {
            #expect(!text.contains(secret), "\(text)")
        }
        #expect(text.contains(#"{"part":"models","found":"p/two"}"#))
        #expect(explanation.decision == .unknown)
    }

    /// What a rule is decided by no claim of a client's is the client's own.
    @Test func `a counter of the client's own is shown`() throws {
        func mayShow(_ per: String, from origin: ResolvedMetadata.Origin) throws -> Bool {
            let policies = try PolicyFixture.read(
                """
                type: gateway-rate-limiting-config
                rules:
                  - {id: r, limit_to: 5, unit: requests_per_hour, rate_limit_applies_per: [\(per)]}
                """)
            let facts = RequestFacts(
                caller: Caller(account: "x", user: "bob"), model: "m",
                metadata: PolicyFixture.metadata(["env": "e"], from: origin),
                rollout: RolloutIDs(rollout: "r", invocation: "i", experiment: "e", run: "n", row: "1"))
            return Explanation(policies, facts, body: [], hasBaseURL: false, view: .own).limits[0].mayShowUsage
        }
        #expect(try !mayShow("metadata.env", from: .header))
        #expect(try mayShow("metadata.env", from: .key) && mayShow("metadata.env", from: .gateway))
        #expect(try !mayShow("metadata.run_id", from: .key), "the path is a claim too")
        #expect(try mayShow("user, metadata.env", from: .header) && mayShow("account", from: .header))
        #expect(try mayShow("model", from: .header))
    }

    @Test func `the decision names the rule that refuses`() throws {
        var explanation = try Self.explanation(.full, model: "p/one", env: "dev")
        #expect(explanation.decision == .unknown)
        func use(_ used: Int, at place: Int) {
            explanation.limits[place].usage = .known(RateUsage(used: used, reset: 7))
        }
        use(9, at: 0)
        use(0, at: 3)
        #expect(explanation.decision == .admitted)
        use(10, at: 0)
        #expect(explanation.decision == .refused(status: 429, code: "rate_limit_exceeded", rule: "dev"))
        use(1, at: 3)
        use(9, at: 0)
        #expect(
            explanation.decision == .refused(status: 429, code: "rate_limit_exceeded", rule: "dev"),
            "the name of the rule `{metadata.env}`; an estimate is cut to the limit, so one token in it is too many")
    }

    @Test func `what can never fit is refused before all counters`() throws {
        let long = #"{"messages":[{"content":"\#(String(repeating: "x", count: 100))"}]}"#
        let explanation = try Self.explanation(.full, body: long)
        #expect(explanation.decision == .refused(status: 400, code: "never_admissible", rule: "prod"))
    }

    @Test(arguments: ["enforce", "audit"]) func `a rule on metadata refuses if it is enforced`(mode: String) throws {
        let policies = try PolicyFixture.read(
            "type: gateway-metadata-config\nmode: \(mode)\nkeys: {team: {required: true}, run_id: {values: [n]}}\n")
        let ids = RolloutIDs(rollout: "r", invocation: "i", experiment: "e", run: "n", row: "1")
        let facts = RequestFacts(model: "m", rollout: ids)
        let explanation = Explanation(policies, facts, body: [], hasBaseURL: false, view: .own)
        #expect(explanation.violation?.key == "team")
        #expect(explanation.metadata["run_id"]?.origin == .path)
        #expect(
            explanation.decision
                == (mode == "enforce"
                    ? .refused(status: 400, code: "metadata_refused", rule: "required") : .admitted))
    }

    /// It is JSON with any names and values.
    @Test(arguments: 0..<40) func `the JSON can be read`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let policies = try Self.policies((0..<4).map { _ in Self.condition(&random) }, &random)
        var facts = Self.facts(&random)
        facts.metadata.set("odd\"", to: "\u{1}\\\"", from: .header)
        let own = Explanation(policies, facts, body: [], hasBaseURL: false, view: .own)
        let shown = policies.rateLimits[0].rules.filter { !$0.when.isForOthers(facts) }
        #expect(own.limits.map(\.id) == shown.map(\.id) && own.balancing.count == shown.count)
        #expect(!String(decoding: own.json, as: UTF8.self).contains(#""wants":"#))
        for view in [Explanation.View.full, .own] {
            let json = Explanation(policies, facts, body: [], hasBaseURL: random.chance(percent: 50), view: view).json
            let object = try JSONObject.scan(json, maximumDepth: 8)
            #expect(object.member("object").flatMap(object.string) == "rules.explanation")
            let indented = JSONText.indented(json)
            let again = try JSONObject.scan(indented, maximumDepth: 8)
            #expect(again.members.count == object.members.count)
            #expect(
                indented.filter { ![0x20, 0x0A].contains($0) }.count
                    == json.filter { ![0x20, 0x0A].contains($0) }.count)
        }
    }
}

/// Random rules and requests.
extension ExplanationTests {
    private static func test(_ random: inout SeededRandom) -> MetadataTest {
        let value = UTF8Text(random.pick(values))
        switch random.below(7) {
        case 0: return .equals(value)
        case 1: return .isIn([value, UTF8Text(random.pick(values))])
        case 2: return .notIn([value])
        case 3: return (try? Pattern(random.pick(["[a-b]", "[0-9]+", ".*"]))).map { .regex($0) } ?? .present(true)
        case 4: return .present(random.chance(percent: 50))
        default: return .number(random.pick(MetadataTest.NumberComparison.allCases), Double(random.below(50)))
        }
    }

    private static func demands(_ most: Int, _ random: inout SeededRandom) -> [RuleCondition.Demand] {
        (0..<random.below(most + 1)).map { _ in
            RuleCondition.Demand(key: UTF8Text(random.pick(keys)), test: test(&random))
        }
    }

    static func condition(_ random: inout SeededRandom) -> RuleCondition {
        var condition = RuleCondition(metadata: demands(2, &random))
        let subjects: [Subject] = [.everyone, .user("ada"), .team("red"), .account("bob")]
        if random.chance(oneIn: 3) { condition.subjects.included = [random.pick(subjects)] }
        if random.chance(oneIn: 5) { condition.subjects.excluded = [random.pick(subjects)] }
        if random.chance(oneIn: 2) { condition.models.included = [UTF8Text(random.pick(models))] }
        if random.chance(oneIn: 5) { condition.models.excluded = [UTF8Text(random.pick(models))] }
        if random.chance(oneIn: 4) { condition.origin = random.pick([.key, .gateway]) }
        return condition
    }

    static func facts(_ random: inout SeededRandom) -> RequestFacts {
        var metadata = ResolvedMetadata()
        for key in keys.dropLast() where random.chance(percent: 60) {
            metadata.set(key, to: random.pick(values), from: random.pick([.header, .gateway, .key]))
        }
        let caller = Caller(
            account: random.chance(percent: 50) ? random.pick(names) : nil,
            user: random.chance(percent: 50) ? random.pick(names) : nil,
            teams: random.chance(percent: 50) ? [random.pick(names)] : [])
        let ids = RolloutIDs(rollout: "r", invocation: "i", experiment: "e", run: random.pick(values), row: "1")
        return RequestFacts(
            caller: caller, model: random.chance(oneIn: 8) ? nil : random.pick(models), metadata: metadata,
            rollout: random.chance(percent: 50) ? ids : nil)
    }

    fileprivate static func policies(
        _ conditions: [RuleCondition], _ random: inout SeededRandom
    ) throws -> Policies {
        var policies = Policies()
        let limits = conditions.enumerated().map { place, condition in
            RateLimitRule(
                name: RuleName("limit-\(place)"), when: condition, limit: 10,
                unit: random.pick(RateCharge.Unit.allCases),
                window: .minute, appliesPer: random.chance(oneIn: 3) ? [.metadata("env")] : [], defaultOutput: 1,
                isEnforced: true)
        }
        policies.rateLimits = [
            RateLimitPolicy(limits, evaluation: random.pick(RateLimitPolicy.Evaluation.allCases))
        ]
        var balancing: [LoadBalancingRule] = []
        var fallbacks: [FallbackRule] = []
        for (place, condition) in conditions.enumerated() {
            var targets: [LoadBalancingRule.Target] = []
            for name in ["a", "b", "c"] {
                targets.append(
                    .init(
                        call: RoutedTarget(model: try model("t/\(name)-\(place)"), retry: retry(&random)),
                        weight: Double(random.below(3) * 50), failures: [],
                        takesFallback: random.chance(percent: 70), metadata: demands(1, &random)))
            }
            balancing.append(LoadBalancingRule(id: "balance-\(place)", when: condition, targets: targets))
            fallbacks.append(
                FallbackRule(
                    id: "fallback-\(place)", when: condition, failures: [.status(500)],
                    targets: [RoutedTarget(model: try model("f/\(place)"), retry: retry(&random))]))
        }
        policies.routing = RoutingPolicy(balancing: balancing, fallbacks: fallbacks)
        return policies
    }

    private static func retry(_ random: inout SeededRandom) -> Route.Retry? {
        guard random.chance(percent: 50) else { return nil }
        return Route.Retry(attempts: 1 + random.below(3), delay: random.below(500), failures: [.status(429)])
    }

    private static func model(_ name: String) throws -> RoutedModel {
        try RoutedModel(YAMLDocument(parsing: Array("\"\(name)\"".utf8), file: "test").root)
    }
}
