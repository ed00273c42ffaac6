internal import Common

/// A model that a rule sends calls to, and how they are made there.
struct RoutedTarget: Sendable {
    let model: RoutedModel
    /// Nil: the rule says nothing.
    let retry: Route.Retry?
    let changes: Route.Changes

    /// The keys that are read here, of those that a target may have.
    static let keys = ["target", "retry_config", "override_params", "headers_override"]

    init(model: RoutedModel, retry: Route.Retry? = nil, changes: Route.Changes = Route.Changes()) {
        self.model = model
        self.retry = retry
        self.changes = changes
    }

    /// Reads a target from its mapping.
    /// - Throws: all problems, each with its place.
    init(_ map: YAMLMapping) throws(ConfigurationError) {
        var log = ProblemLog()
        let model = log.attempt { () throws(ConfigurationError) in try RoutedModel(map.required("target")) }
        let retry = log.attempt { () throws(ConfigurationError) in
            try map["retry_config"].map { node throws(ConfigurationError) in try Route.Retry(node) }
        }
        let changes = log.attempt { () throws(ConfigurationError) in try Route.Changes(map) }
        try log.check()
        guard let model, let retry, let changes else { throw map.node.error("\(map.node.label) cannot be read") }
        self.init(model: model, retry: retry, changes: changes)
    }

    func step(of rule: String, failures: Set<Route.Failure>) -> Route.Step {
        Route.Step(model.name, rule: rule, failures: failures, retry: retry, changes: changes)
    }
}
