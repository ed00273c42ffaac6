package import Common

/// The operator's rules on metadata (`gateway-metadata-config`): the keys that requests may or must have, and those
/// that the operator sets.
package struct MetadataPolicy: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// A request that breaks a rule is refused.
        case enforce
        /// It passes, and the log says so.
        case audit
    }

    /// The rule of one key.
    package struct Key: Sendable, Equatable {
        package enum Values: Sendable, Equatable {
            case any
            case listed(Set<UTF8Text>)
            case matching(Pattern)
        }

        package var name: String
        package var isRequired: Bool
        package var values: Values
    }

    /// Metadata that the operator sets for some clients.
    package struct Override: Sendable, Equatable {
        package var id: String
        package var subjects: [Subject]
        package var metadata: [Entry]
    }

    /// A key and its value.
    package struct Entry: Sendable, Equatable {
        package var key: String
        package var value: String
    }

    package var mode = Mode.enforce
    package var allowsUnknownKeys = true
    package var keys: [Key] = []
    /// In their order: the first that is for a client and has a key sets it.
    package var overrides: [Override] = []

    package init() {}

    /// Whether a request's metadata is to be checked at all.
    package var hasRules: Bool { !keys.isEmpty || !allowsUnknownKeys }

    /// Sets what the operator says for a caller, in the place of what the caller says.
    /// - Returns: the ids of the rules that have set something.
    @discardableResult
    package func override(_ metadata: inout ResolvedMetadata, for caller: Caller) -> [String] {
        var applied: [String] = []
        for rule in overrides where rule.subjects.contains(where: { $0.includes(caller) }) {
            let entries = rule.metadata.filter { metadata[$0.key]?.origin != .gateway }
            for entry in entries { metadata.set(entry.key, to: entry.value, from: .gateway) }
            if !entries.isEmpty { applied.append(rule.id) }
        }
        return applied
    }

    /// The first rule that a request breaks.
    /// - Parameter metadata: all of it, the ids of the path too.
    package func violation(of metadata: ResolvedMetadata) -> MetadataViolation? {
        for key in keys {
            guard let entry = metadata[key.name] else {
                if key.isRequired { return MetadataViolation(key: key.name, rule: .required) }
                continue
            }
            if let rule = key.broken(by: entry.value) { return MetadataViolation(key: key.name, rule: rule) }
        }
        guard !allowsUnknownKeys else { return nil }
        // What the operator writes needs no permission.
        let unknown = metadata.entries.first { entry in
            entry.origin == .header && !keys.contains { $0.name == entry.key }
        }
        return unknown.map { MetadataViolation(key: $0.key, rule: .unknown(known: keys.map(\.name))) }
    }
}

extension MetadataPolicy.Key {
    /// The rule that a value breaks.
    func broken(by value: String) -> MetadataViolation.Rule? {
        switch values {
        case .any: nil
        case .listed(let values): values.contains(value) ? nil : .notListed(Array(values).map(\.text).sorted())
        case .matching(let pattern): pattern.matches(value) ? nil : .noMatch(pattern.text)
        }
    }
}
