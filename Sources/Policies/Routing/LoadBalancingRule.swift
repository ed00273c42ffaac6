internal import Common

/// One rule of a `gateway-load-balancing-config`.
package struct LoadBalancingRule: PolicyRule {
    struct Target: Sendable {
        var call: RoutedTarget
        /// Of a hundred.
        var weight: Double
        /// What makes it another target's turn.
        var failures: Set<Route.Failure>
        /// Whether it may have the turn of another one that failed.
        var takesFallback: Bool
        /// What a request's metadata must have for it.
        var metadata: [RuleCondition.Demand]
    }

    package let id: String
    let when: RuleCondition
    let targets: [Target]

    /// A request whose metadata none of the targets takes goes on to the next rule.
    var alwaysDecides: Bool { targets.contains { $0.metadata.isEmpty } }

    /// The targets that are there for a request, the chosen one first, then those that may have its turn, the
    /// heaviest first.
    /// - Returns: nil if none is.
    func steps(for facts: RequestFacts, using random: inout some RandomNumberGenerator) -> [Route.Step]? {
        let there = targets.filter { target in
            target.metadata.allSatisfy { $0.test.passes(facts[$0.key.text]?.value) }
        }
        guard let chosen = Self.choose(among: there, using: &random) else { return nil }
        let others = there.indices.filter { $0 != chosen && there[$0].takesFallback }
            .sorted { (there[$0].weight, $1) > (there[$1].weight, $0) }
        return ([chosen] + others).map { there[$0].call.step(of: id, failures: there[$0].failures) }
    }

    /// The place of one target, by their weights. One of weight 0 is chosen where there is no other.
    private static func choose(
        among targets: [Target], using random: inout some RandomNumberGenerator
    ) -> Int? {
        let sum = targets.reduce(0) { $0 + $1.weight }
        guard sum > 0 else { return targets.isEmpty ? nil : 0 }
        var rest = Double.random(in: 0..<sum, using: &random)
        for (place, target) in targets.enumerated() {
            rest -= target.weight
            if rest < 0 { return place }
        }
        return targets.lastIndex { $0.weight > 0 }
    }
}
