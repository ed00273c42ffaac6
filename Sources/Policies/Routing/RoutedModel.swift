package import Common

/// A model that a rule sends calls to.
package struct RoutedModel: Sendable {
    /// `provider/model`.
    package let name: String
    /// The location at which the rule names it.
    package let location: ConfigurationProblem.Location

    init(_ node: YAMLNode) throws(ConfigurationError) {
        name = try node.string()
        location = node.location
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, name.isPrintable else {
            throw node.error("\(node.label) must be a provider or account, a slash and a model, such as `azure/gpt-4o`")
        }
    }

    /// Whether calls to it have a key of the client's: all that come here name a model of the same provider.
    func hasClientsKey(where when: RuleCondition) -> Bool {
        let provider = Self.provider(of: name)
        return !when.models.included.isEmpty
            && when.models.included.allSatisfy { Self.provider(of: $0.text) == provider }
    }

    private static func provider(of model: String) -> Substring { model.prefix { $0 != "/" } }
}
