extension YAMLNode {
    /// The elements of a sequence; none if nothing is said.
    package func sequence() throws(ConfigurationError) -> [YAMLNode] {
        if case .sequence(let elements) = content { return elements }
        if isNull { return [] }
        throw mismatch("a list (lines that begin with `- `)")
    }

    /// The entries of a mapping; none if nothing is said.
    package func mapping() throws(ConfigurationError) -> YAMLMapping {
        if case .mapping(let entries) = content { return YAMLMapping(node: self, entries: entries) }
        if isNull { return YAMLMapping(node: self, entries: []) }
        throw mismatch("a mapping (lines of `key: value`)")
    }

    /// The keys of a mapping in the file's order; none for anything else.
    package var keys: [String] {
        if case .mapping(let entries) = content { entries.map(\.key) } else { [] }
    }

    /// A mapping with no other keys than `known`.
    package func mapping(of known: [String]) throws(ConfigurationError) -> YAMLMapping {
        let mapping = try mapping()
        try mapping.allow(only: known)
        return mapping
    }
}

extension YAMLNode {
    /// The value in words, for the beginning of a message.
    package var label: String { path.isEmpty ? "the file" : "`\(path)`" }

    /// An error that says what should be here and what kind of value is. Never shows the value, which may be a secret
    /// in the wrong place.
    package func mismatch(_ expected: String) -> ConfigurationError {
        let found =
            switch content {
            case _ where isNull: "nothing"
            case .scalar(_, isPlain: true): "plain text"
            case .scalar: "text in quotes"
            case .sequence: "a list"
            case .mapping: "a mapping"
            }
        return error("\(label) must be \(expected), but is \(found)")
    }
}
