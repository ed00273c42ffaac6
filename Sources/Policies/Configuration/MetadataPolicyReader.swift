internal import Common

/// Reads a `gateway-metadata-config`. It goes on after an error, so that all are told at once.
struct MetadataPolicyReader {
    let asksForKeys: Bool

    func read(_ map: YAMLMapping) throws(ConfigurationError) -> MetadataPolicy {
        var (policy, log) = (MetadataPolicy(), ProblemLog())
        log.attempt { () throws(ConfigurationError) in
            try map.allow(only: ["type", "name", "mode", "allow_unknown_keys", "keys", "rules"])
        }
        log.attempt { () throws(ConfigurationError) in _ = try map["name"]?.string() }
        log.attempt { () throws(ConfigurationError) in policy.mode = try map["mode"].map(Self.mode) ?? .enforce }
        log.attempt { () throws(ConfigurationError) in
            policy.allowsUnknownKeys = try map["allow_unknown_keys"]?.bool() ?? true
        }
        if let keys = log.attempt({ () throws(ConfigurationError) in try map["keys"]?.mapping() }) ?? nil {
            policy.keys = keys.entries.compactMap { entry in
                log.attempt { () throws(ConfigurationError) in try Self.key(entry) }
            }
        }
        if let rules = log.attempt({ () throws(ConfigurationError) in try map["rules"]?.sequence() }) ?? nil {
            policy.overrides = overrides(rules, beside: policy.keys, &log)
        }
        try log.check()
        return policy
    }

    private static func mode(_ node: YAMLNode) throws(ConfigurationError) -> MetadataPolicy.Mode {
        let text = try node.string()
        if let mode = MetadataPolicy.Mode.named(text) { return mode }
        let names = MetadataPolicy.Mode.allCases.map(\.rawValue)
        let hint = SpellingSuggestion.nearest(to: text, among: names).map { "; did you mean `\($0)`?" } ?? ""
        throw node.error("\(node.label) must be `enforce` or `audit`\(hint)")
    }

    private static func key(_ entry: YAMLMapping.Entry) throws(ConfigurationError) -> MetadataPolicy.Key {
        if let fault = MetadataLimits.fault(ofRuledKey: entry.key) {
            throw ConfigurationError(at: entry.location, "the key `\(MetadataLimits.shown(entry.key))` \(fault)")
        }
        let map = try entry.value.mapping(of: ["required", "values", "regex"])
        return MetadataPolicy.Key(
            name: entry.key, isRequired: try map["required"]?.bool() ?? false, values: try values(map))
    }

    private static func values(_ map: YAMLMapping) throws(ConfigurationError) -> MetadataPolicy.Key.Values {
        switch (map["values"], map["regex"]) {
        case (nil, nil): return .any
        case (let list?, nil): return .listed(try listed(list))
        case (nil, let node?): return .matching(try Pattern(node))
        case (_?, let node?): throw node.error("\(map.node.label) has both `values` and `regex`; remove one of them")
        }
    }

    private static func listed(_ list: YAMLNode) throws(ConfigurationError) -> Set<UTF8Text> {
        var values: Set<UTF8Text> = []
        for node in try list.sequence() {
            let value = try node.string()
            if let fault = MetadataLimits.fault(ofValue: value) { throw node.error("\(node.label) \(fault)") }
            guard values.insert(value) else { throw node.error("`\(value)` is there twice; remove one") }
        }
        guard !values.isEmpty else { throw list.error("\(list.label) is empty; no request could keep to it") }
        return values
    }

    private func overrides(
        _ nodes: [YAMLNode], beside keys: [MetadataPolicy.Key], _ log: inout ProblemLog
    ) -> [MetadataPolicy.Override] {
        var ids: Set<UTF8Text> = []
        var overrides: [MetadataPolicy.Override] = []
        for node in nodes {
            let rule = log.attempt { () throws(ConfigurationError) in try override(node, beside: keys) }
            guard let rule else { continue }
            if !ids.insert(rule.id) {
                log.error(at: node.location, "the id `\(rule.id)` is already another rule's; give each its own")
            }
            if overrides.contains(where: { $0.subjects.contains(.everyone) && $0.covers(rule) }) {
                log.error(
                    at: node.location,
                    "the rule `\(rule.id)` sets nothing, since a rule before it sets its keys for everyone; move it up")
            }
            overrides.append(rule)
        }
        return overrides
    }

    /// One rule. TrueFoundry's name for `gateway_metadata` is `metadata_override`.
    private func override(
        _ node: YAMLNode, beside keys: [MetadataPolicy.Key]
    ) throws(ConfigurationError) -> MetadataPolicy.Override {
        let map = try node.mapping(of: ["id", "when", "gateway_metadata", "metadata_override"])
        if let other = map["metadata_override"], map["gateway_metadata"] != nil {
            throw other.error(
                "\(node.label) has both `gateway_metadata` and `metadata_override`, which mean the same; remove one")
        }
        var log = ProblemLog()
        let id = log.attempt { () throws(ConfigurationError) in try map.required("id").string() }
        let subjects = Subject.all(map["when"], asksForKeys: asksForKeys, &log)
        let entries = log.attempt { () throws(ConfigurationError) in
            let metadata = try map.required(map["metadata_override"] == nil ? "gateway_metadata" : "metadata_override")
            return try Self.entries(metadata, beside: keys)
        }
        try log.check()
        return MetadataPolicy.Override(id: id ?? "", subjects: subjects, metadata: entries ?? [])
    }

    private static func entries(
        _ node: YAMLNode, beside keys: [MetadataPolicy.Key]
    ) throws(ConfigurationError) -> [MetadataPolicy.Entry] {
        try MetadataLimits.entries(of: node).map { (key, value) throws(ConfigurationError) in
            if let rule = keys.first(where: { $0.name == key })?.broken(by: value) {
                throw node.error("\(node.label) sets `\(key)` to a value that its own `\(rule.name)` does not allow")
            }
            return MetadataPolicy.Entry(key: key, value: value)
        }
    }
}

extension MetadataPolicy.Override {
    /// Whether this rule has all keys of another one.
    fileprivate func covers(_ other: Self) -> Bool {
        other.metadata.allSatisfy { entry in metadata.contains { $0.key == entry.key } }
    }
}
