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

        /// The same as a condition, which takes a value of any source.
        var condition: RuleCondition { RuleCondition(metadata: metadata) }
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
        let there = targets.filter { $0.metadata.isEmpty || $0.condition.holds(for: facts) }
        guard let chosen = Self.choose(among: there, using: &random) else { return nil }
        let others = there.indices.filter { $0 != chosen && there[$0].takesFallback }
            .sorted { (there[$0].weight, $1) > (there[$1].weight, $0) }
        return ([chosen] + others).map { there[$0].call.step(of: id, failures: there[$0].failures) }
    }

    /// How likely each of some targets is chosen. One of weight 0 is chosen where there is no other.
    static func shares(of targets: [Target]) -> [Double] {
        let sum = targets.reduce(0) { $0 + $1.weight }
        guard sum > 0 else { return targets.indices.map { $0 == 0 ? 1 : 0 } }
        return targets.map { $0.weight / sum }
    }

    /// The place of one target, by their weights.
    private static func choose(
        among targets: [Target], using random: inout some RandomNumberGenerator
    ) -> Int? {
        let shares = shares(of: targets)
        var rest = Double.random(in: 0..<1, using: &random)
        for (place, share) in shares.enumerated() {
            rest -= share
            if rest < 0 { return place }
        }
        // The shares may add up to a hair less than 1.
        return shares.lastIndex { $0 > 0 }
    }
}
