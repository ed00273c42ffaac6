internal import Common

/// A choice among targets by their weights.
struct TargetChoice: Sendable {
    /// The likelihood that each target is chosen. One of weight 0 is chosen where there is no other.
    let shares: [Double]
    /// The route that begins at each of them.
    private let routes: [[Route.Step]]

    /// - Parameter rule: the rule's id.
    init(among targets: [LoadBalancingRule.Target], of rule: String) {
        let sum = targets.reduce(0) { $0 + $1.weight }
        shares = sum > 0 ? targets.map { $0.weight / sum } : targets.indices.map { $0 == 0 ? 1 : 0 }
        let steps = targets.map { $0.call.step(of: rule, failures: $0.failures) }
        let heaviest = targets.indices.filter { targets[$0].takesFallback }
            .sorted { (targets[$0].weight, $1) > (targets[$1].weight, $0) }
        routes = targets.indices.map { chosen in
            [steps[chosen]] + heaviest.filter { $0 != chosen }.map { steps[$0] }
        }
    }

    /// The steps of a route whose first target is chosen by the weights.
    /// - Returns: nil if there is no target.
    func steps(using random: inout some RandomNumberGenerator) -> [Route.Step]? {
        var rest = Double.random(in: 0..<1, using: &random)
        for (place, share) in shares.enumerated() {
            rest -= share
            if rest < 0 { return routes[place] }
        }
        // The shares may add up to a hair less than 1.
        return shares.lastIndex { $0 > 0 }.map { routes[$0] }
    }
}
