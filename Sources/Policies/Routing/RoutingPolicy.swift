package import Common

/// The rules that route calls: on load balancing and on fallback.
package struct RoutingPolicy: Sendable {
    let balancing: [LoadBalancingRule]
    let fallbacks: [FallbackRule]
    private let balancingIndex: RuleIndex
    private let fallbackIndex: RuleIndex

    package init(balancing: [LoadBalancingRule] = [], fallbacks: [FallbackRule] = []) {
        self.balancing = balancing
        self.fallbacks = fallbacks
        balancingIndex = RuleIndex(balancing.map(\.when))
        fallbackIndex = RuleIndex(fallbacks.map(\.when))
    }

    package var isEmpty: Bool { balancing.isEmpty && fallbacks.isEmpty }

    /// The models to which calls go with a key of the server's alone.
    package var modelsWithServerKeys: [RoutedModel] {
        let balanced = balancing.flatMap { rule in
            rule.targets.map(\.call.model).filter { !$0.hasClientsKey(where: rule.when) }
        }
        return balanced
            + fallbacks.flatMap { rule in
                rule.targets.map(\.model).filter { !$0.hasClientsKey(where: rule.when) }
            }
    }

    /// The route of a request: of each kind the first rule that matches decides. Rules look at the model that the
    /// request names, so a target is not balanced again.
    /// - Returns: an empty route if no rule does.
    package func route(for facts: RequestFacts, using random: inout some RandomNumberGenerator) -> Route {
        guard let model = facts.model else { return Route() }
        var steps: [Route.Step] = []
        for place in balancingIndex.candidates(for: facts) where balancing[place].when.holds(for: facts) {
            guard let found = balancing[place].steps(for: facts, using: &random) else { continue }
            steps = found
            break
        }
        let fallback = fallbackIndex.candidates(for: facts).first { fallbacks[$0].when.holds(for: facts) }
        guard let rule = fallback.map({ fallbacks[$0] }) else { return Route(steps) }
        if steps.isEmpty { steps = [Route.Step(model)] }
        return Route(steps + rule.steps, fallback: steps.count, fallbackFailures: rule.failures)
    }
}
