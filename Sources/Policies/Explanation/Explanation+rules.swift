package import Common

extension Explanation {
    /// One rule on rate limits.
    package struct Limit: Sendable {
        package enum Usage: Sendable, Equatable {
            case known(RateUsage)
            /// - Parameter reason: why, as a sentence's end.
            case unknown(reason: String)
        }

        package let id: String
        /// The reasons why it does not match; empty where it does.
        package let unmet: [UnmetPart]
        let rule: RateLimitRule
        /// As the request meets it; nil where it does not match, or a rule before it counts instead.
        package let limit: RateLimit?
        /// The id with its placeholders filled in.
        package let name: String
        /// The amount that the request counts; nil where it is larger than the limit.
        package let amount: Int?
        /// Whether the reader may know what the counter holds.
        package let mayShowUsage: Bool
        package var usage = Usage.unknown(reason: "its counter was not read")

        package var matches: Bool { unmet.isEmpty }

        /// Whether the request would pass the limit; nil if that is not known.
        package var isOver: Bool? {
            guard case .known(let usage) = usage, let amount, limit != nil else { return nil }
            return usage.used + amount > rule.limit
        }
    }

    /// One rule on load balancing.
    package struct Balancing: Sendable {
        package struct Target: Sendable {
            /// `provider/model`.
            package let model: String
            /// Of a hundred, as the rule has it.
            package let weight: Double
            /// The likelihood that it is chosen first, from 0 to 1.
            package let share: Double
            /// The reasons why `metadata_match` does not hold; empty where it does.
            package let unmet: [UnmetPart]
            package let takesFallback: Bool
            /// The failures that make it another target's turn.
            package let failures: [String]
            /// Its retries; nil: its rule does not say.
            package let retry: Route.Retry?
        }

        package let id: String
        package let unmet: [UnmetPart]
        /// Whether it is the one that decides: the first that matches and has a target for the request.
        package let decides: Bool
        /// None where the rule does not match.
        package let targets: [Target]

        package var matches: Bool { unmet.isEmpty }
    }

    /// One rule on fallback.
    package struct Fallback: Sendable {
        package struct Target: Sendable {
            /// `provider/model`.
            package let model: String
            /// Its retries; nil: its rule does not say.
            package let retry: Route.Retry?
        }

        package let id: String
        package let unmet: [UnmetPart]
        /// Whether it is the first that matches.
        package let decides: Bool
        /// In the order of their turns; none where the rule does not match.
        package let targets: [Target]
        /// The failures that make it their turn.
        package let failures: [String]

        package var matches: Bool { unmet.isEmpty }
    }
}

/// Explains rules one by one.
struct RuleExplainer {
    let facts: RequestFacts
    /// Whether the call goes where rules say, so that one of them decides.
    let isRouted: Bool
    let view: Explanation.View

    func limits(of policy: RateLimitPolicy, _ estimate: TokenEstimate) -> [Explanation.Limit] {
        var hasDecided = false
        return policy.rules.filter(isShown).map { rule in
            let unmet = unmet(rule.when)
            let counts = unmet.isEmpty && !hasDecided
            if counts, policy.evaluation == .firstMatch { hasDecided = true }
            let limit = counts ? RateLimit(rule, for: facts) : nil
            return Explanation.Limit(
                id: rule.id, unmet: unmet, rule: rule, limit: limit, name: limit?.name(for: facts) ?? rule.id,
                amount: limit?.amount { estimate }, mayShowUsage: view == .full || !rule.isClaimable(by: facts))
        }
    }

    func balancing(_ rules: [LoadBalancingRule]) -> [Explanation.Balancing] {
        var hasDecided = !isRouted
        return rules.filter(isShown).map { rule in
            let unmet = unmet(rule.when)
            let targets = unmet.isEmpty ? targets(of: rule) : []
            let decides = !hasDecided && targets.contains { $0.unmet.isEmpty }
            if decides { hasDecided = true }
            return Explanation.Balancing(id: rule.id, unmet: unmet, decides: decides, targets: targets)
        }
    }

    func fallbacks(_ rules: [FallbackRule]) -> [Explanation.Fallback] {
        var hasDecided = !isRouted
        return rules.filter(isShown).map { rule in
            let unmet = unmet(rule.when)
            let decides = unmet.isEmpty && !hasDecided
            if decides { hasDecided = true }
            return Explanation.Fallback(
                id: rule.id, unmet: unmet, decides: decides,
                targets: unmet.isEmpty
                    ? rule.targets.map { Explanation.Fallback.Target(model: $0.model.name, retry: $0.retry) } : [],
                failures: unmet.isEmpty ? rule.failures.words : [])
        }
    }

    private func targets(of rule: LoadBalancingRule) -> [Explanation.Balancing.Target] {
        let there = rule.targets.filter { $0.condition.holds(for: facts) }
        var shares = TargetChoice(among: there, of: rule.id).shares[...]
        return rule.targets.map { target in
            let unmet = unmet(target.condition)
            return Explanation.Balancing.Target(
                model: target.call.model.name, weight: target.weight, share: unmet.isEmpty ? shares.popFirst() ?? 0 : 0,
                unmet: unmet, takesFallback: target.takesFallback, failures: target.failures.words,
                retry: target.call.retry)
        }
    }

    func isShown(_ rule: some PolicyRule) -> Bool { view == .full || !rule.when.isForOthers(facts) }

    func unmet(_ condition: RuleCondition) -> [UnmetPart] {
        let parts = condition.unmetParts(facts)
        return view == .full ? parts : parts.map(\.withoutDemand)
    }
}

extension RateLimitRule {
    /// Whether the request's counter belongs to a value that any client may claim: one in a header or the path, where
    /// the counter is not kept apart for the client itself.
    func isClaimable(by facts: RequestFacts) -> Bool {
        let isOwn = appliesPer.contains { ($0 == .user || $0 == .account) && $0.value(in: facts) != nil }
        return !isOwn
            && appliesPer.contains { part in
                guard case .metadata(let key) = part, let origin = facts[key.text]?.origin else { return false }
                return origin == .header || origin == .path
            }
    }
}

extension Set<Route.Failure> {
    var words: [String] { map(\.word).sorted() }
}
