internal import Common

/// A rule of a document that lists rules.
protocol PolicyRule: Sendable {
    /// Unique among the rules of its type.
    var id: String { get }
    var when: RuleCondition { get }
    /// Whether it decides for each request that matches, where the first rule that matches decides.
    var alwaysDecides: Bool { get }

    /// - Parameter asksForKeys: whether clients are known by keys.
    /// - Throws: all problems, each with its place.
    init(_ node: YAMLNode, asksForKeys: Bool) throws(ConfigurationError)
}

extension PolicyRule {
    var alwaysDecides: Bool { true }
}
