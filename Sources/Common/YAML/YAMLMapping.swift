/// A mapping that is being read. Its keys are unique, and `allow` refuses those that nothing reads.
package struct YAMLMapping: Sendable {
    /// A key and its value. The key is text: YAML's other keys are refused.
    package struct Entry: Sendable, Equatable {
        package let key: String
        /// The location of the key.
        package let location: ConfigurationProblem.Location
        package let value: YAMLNode
    }

    /// The mapping as a value, for errors about it as a whole.
    package let node: YAMLNode
    /// In the file's order.
    package let entries: [Entry]

    /// The value of `key`; nil when it is absent, or written with nothing behind the colon.
    package subscript(_ key: String) -> YAMLNode? {
        guard let value = entries.first(where: { $0.key == key })?.value, !value.isNull else { return nil }
        return value
    }

    /// The value of `key`, which must be there.
    package func required(_ key: String) throws(ConfigurationError) -> YAMLNode {
        if let value = self[key] { return value }
        throw node.error("\(node.label) needs `\(key)`")
    }

    /// Refuses keys other than the `known` ones, all unknown ones together, each with the known key that it resembles.
    package func allow(only known: [String]) throws(ConfigurationError) {
        let unknown = entries.filter { !known.contains($0.key) }
        if unknown.isEmpty { return }
        throw ConfigurationError(
            unknown.map { entry in
                let hint =
                    SpellingSuggestion.nearest(to: entry.key, among: known).map { " Did you mean `\($0)`?" } ?? ""
                let list = known.map { "`\($0)`" }.joined(separator: ", ")
                return ConfigurationProblem(
                    .error, at: entry.location, "unknown key `\(entry.key)`.\(hint) Known here: \(list).")
            })
    }
}
