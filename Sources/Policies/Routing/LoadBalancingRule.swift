internal import Common

/// One rule of a `gateway-load-balancing-config`.
package struct LoadBalancingRule: PolicyRule {
    struct Target: Sendable {
        var call: RoutedTarget
        /// Of a hundred.
        var weight: Double
        /// The failures that make it another target's turn.
        var failures: Set<Route.Failure>
        /// Whether it may have the turn of another one that failed.
        var takesFallback: Bool
        /// The metadata that a request must have for it.
        var metadata: [RuleCondition.Demand]

        /// The same as a condition, which takes a value of any source.
        var condition: RuleCondition { RuleCondition(metadata: metadata) }
    }

    package let id: String
    let when: RuleCondition
    let targets: [Target]
    /// The choice among the targets, if they are there for every request.
    private let choice: TargetChoice?

    init(id: String, when: RuleCondition, targets: [Target]) {
        self.id = id
        self.when = when
        self.targets = targets
        choice = targets.allSatisfy(\.metadata.isEmpty) ? TargetChoice(among: targets, of: id) : nil
    }

    /// A request whose metadata none of the targets takes goes on to the next rule.
    var alwaysDecides: Bool { targets.contains { $0.metadata.isEmpty } }

    /// The targets that are there for a request, the chosen one first, then those that may have its turn, the
    /// heaviest first.
    /// - Returns: nil if none is.
    func steps(for facts: RequestFacts, using random: inout some RandomNumberGenerator) -> [Route.Step]? {
        let choice = choice ?? TargetChoice(among: targets.filter { $0.condition.holds(for: facts) }, of: id)
        return choice.steps(using: &random)
    }
}
