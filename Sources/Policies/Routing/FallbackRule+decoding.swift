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
        let models = log.attempt { () throws(ConfigurationError) in try Self.models(map.required("fallback_models")) }
        try log.check()
        guard let id, let when, let failures, let models else { throw node.error("\(node.label) cannot be read") }
        self.init(id: id, when: when, failures: failures, models: models)
    }

    /// Texts, or mappings with a `target`.
    private static func models(_ list: YAMLNode) throws(ConfigurationError) -> [RoutedModel] {
        var models: [RoutedModel] = []
        for node in try list.sequence() {
            let model: RoutedModel
            if case .mapping = node.content {
                let map = try node.mapping()
                try map.refuse(["override_params"])
                try map.allow(only: ["target"])
                model = try RoutedModel(map.required("target"))
            } else {
                model = try RoutedModel(node)
            }
            if models.contains(where: { $0.name == model.name }) {
                throw node.error("the model `\(model.name)` is there twice; remove one")
            }
            models.append(model)
        }
        if models.isEmpty { throw list.error("\(list.label) is empty; name a model") }
        return models
    }
}
