internal import Common

extension FallbackRule {
    init(_ node: YAMLNode, asksForKeys: Bool) throws(ConfigurationError) {
        let map = try node.mapping(of: ["id", "when", "fallback_models"])
        var log = ProblemLog()
        let id = log.attempt { () throws(ConfigurationError) in try map.required("id").name() }
        let when = log.attempt { () throws(ConfigurationError) in
            try RuleCondition(map["when"], asksForKeys: asksForKeys, further: ["response_status_codes"])
        }
        let failures = log.attempt { () throws(ConfigurationError) in
            try map.required("when").mapping().required("response_status_codes").failures()
        }
        let targets = log.attempt { () throws(ConfigurationError) in try Self.targets(map.required("fallback_models")) }
        try log.check()
        guard let id, let when, let failures, let targets else { throw node.error("\(node.label) cannot be read") }
        self.init(id: id, when: when, failures: failures, targets: targets)
    }

    /// Texts, or mappings with a `target`.
    private static func targets(_ list: YAMLNode) throws(ConfigurationError) -> [RoutedTarget] {
        var (log, targets) = (ProblemLog(), [RoutedTarget]())
        for node in try list.sequence() {
            let read = log.attempt { () throws(ConfigurationError) in
                guard case .mapping = node.content else { return RoutedTarget(model: try RoutedModel(node)) }
                return try RoutedTarget(node.mapping(of: RoutedTarget.keys))
            }
            guard let target = read else { continue }
            if targets.contains(where: { $0.model.name == target.model.name }) {
                log.error(at: node.location, "the model `\(target.model.name)` is there twice; remove one")
            }
            targets.append(target)
        }
        try log.check()
        if targets.isEmpty { throw list.error("\(list.label) is empty; name a model") }
        return targets
    }
}
