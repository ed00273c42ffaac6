internal import Common

extension LoadBalancingRule {
    /// The failures that make it another target's turn where a target does not say (TrueFoundry's default).
    private static let usualFailures: Set<Route.Failure> = Set(
        [401, 403, 404, 429, 500, 502, 503].map { Route.Failure.status($0) })

    init(_ node: YAMLNode, asksForKeys: Bool) throws(ConfigurationError) {
        let map = try node.mapping()
        try map.refuse(["sticky_routing"])
        try map.allow(only: ["id", "type", "when", "load_balance_targets"])
        if let node = map["type"] {
            let kinds = ["latency-based-routing", "priority-based-routing", "complexity-based-routing"]
            if kinds.contains(try node.string()) {
                throw node.error("\(node.label) is not supported yet with this value")
            }
            _ = try node.choice(among: [("weight-based-routing", ())])
        }
        var log = ProblemLog()
        let id = log.attempt { () throws(ConfigurationError) in try map.required("id").name() }
        let when = log.attempt { () throws(ConfigurationError) in
            try RuleCondition(map["when"], asksForKeys: asksForKeys)
        }
        let targets = log.attempt { () throws(ConfigurationError) in
            try Self.targets(map.required("load_balance_targets"))
        }
        try log.check()
        guard let id, let when, let targets else { throw node.error("\(node.label) cannot be read") }
        self.init(id: id, when: when, targets: targets)
    }

    private static func targets(_ list: YAMLNode) throws(ConfigurationError) -> [Target] {
        var (log, targets) = (ProblemLog(), [Target]())
        var (unweighted, sum) = ([Int](), 0.0)
        for node in try list.sequence() {
            guard let (target, weight) = log.attempt({ () throws(ConfigurationError) in try target(node) }) else {
                continue
            }
            if targets.contains(where: { $0.call.model.name == target.call.model.name }) {
                log.error(at: node.location, "the target `\(target.call.model.name)` is there twice; join the two")
            }
            if let weight { sum += weight } else { unweighted.append(targets.count) }
            targets.append(target)
        }
        try log.check()
        guard !targets.isEmpty else { throw list.error("\(list.label) is empty; name a target") }
        let text = sum == sum.rounded() ? String(Int(sum)) : String(sum)
        guard sum <= 100, sum == 100 || !unweighted.isEmpty else {
            throw list.error("the weights add up to \(text); they must add up to 100")
        }
        for place in unweighted { targets[place].weight = (100 - sum) / Double(unweighted.count) }
        return targets
    }

    /// - Returns: the weight is nil where none is given: such targets share what the others leave.
    private static func target(_ node: YAMLNode) throws(ConfigurationError) -> (target: Target, weight: Double?) {
        let map = try node.mapping()
        try map.refuse(["priority", "sla_cutoff", "timeout_ms"])
        try map.allow(
            only: RoutedTarget.keys + ["weight", "fallback_status_codes", "fallback_candidate", "metadata_match"])
        let weight = try map["weight"].map { node throws(ConfigurationError) in Double(try node.int(in: 0...100)) }
        let target = Target(
            call: try RoutedTarget(map), weight: weight ?? 0,
            failures: try map["fallback_status_codes"].map { node throws(ConfigurationError) in try node.failures() }
                ?? usualFailures,
            takesFallback: try map["fallback_candidate"]?.bool() ?? true,
            metadata: try map["metadata_match"].map { node throws(ConfigurationError) in try RuleCondition.demands(node)
            }
                ?? [])
        return (target, weight)
    }
}
