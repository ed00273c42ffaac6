package import Common

/// Reads the operator's rules from YAML documents, each of which says its `type`.
package struct PolicyReader {
    private enum Kind: String, CaseIterable {
        case metadata = "gateway-metadata-config"
        case rateLimits = "gateway-rate-limiting-config"
        case loadBalancing = "gateway-load-balancing-config"
        case fallback = "gateway-fallback-config"
        case logging = "gateway-logging-config"
    }

    private let asksForKeys: Bool
    private var policies = Policies()
    private var balancing: [LoadBalancingRule] = []
    private var fallbacks: [FallbackRule] = []
    private var loggings: [LoggingRule] = []
    /// The location of the document of the metadata.
    private var place: ConfigurationProblem.Location?
    /// The ids of each kind's rules, over all documents.
    private var ids: [Kind: Set<UTF8Text>] = [:]

    /// - Parameter asksForKeys: whether clients are known by keys.
    private init(asksForKeys: Bool) { self.asksForKeys = asksForKeys }

    /// The rules of some files.
    /// - Throws: all problems of all of them, each with its place.
    package static func read(_ files: [ConfigurationFile], asksForKeys: Bool) throws(ConfigurationError) -> Policies {
        var (reader, log) = (PolicyReader(asksForKeys: asksForKeys), ProblemLog())
        reader.policies.contents = FileContents(of: files)
        for file in files {
            let roots = log.attempt { () throws(ConfigurationError) in try YAMLDocument.roots(of: file) } ?? []
            for root in roots { log.attempt { () throws(ConfigurationError) in try reader.read(root) } }
        }
        try log.check()
        reader.policies.routing = RoutingPolicy(balancing: reader.balancing, fallbacks: reader.fallbacks)
        reader.policies.hash = ConfigurationFile.hash(of: files)
        reader.policies.logging = LoggingPolicy(reader.loggings)
        return reader.policies
    }

    private mutating func read(_ root: YAMLNode) throws(ConfigurationError) {
        let map = try root.mapping()
        let node = try map.required("type")
        let type = try node.string()
        guard let kind = Kind(rawValue: type) else {
            let known = Kind.allCases.map(\.rawValue)
            let hint = SpellingSuggestion.nearest(to: type, among: known).map { " Did you mean `\($0)`?" } ?? ""
            let list = known.map { "`\($0)`" }.joined(separator: ", ")
            throw node.error("`\(type)` is not a type of document.\(hint) Supported: \(list).")
        }
        policies.contents.add(map, of: type)
        switch kind {
        case .metadata:
            if let place { throw node.error("a `\(type)` is already given at \(place); join the two") }
            place = node.location
            policies.metadata = try MetadataPolicyReader(asksForKeys: asksForKeys).read(map)
        case .rateLimits:
            let (evaluation, nodes) = try RateLimitPolicy.parts(of: map)
            let rules: [RateLimitRule] = try rules(nodes, kind, firstDecides: evaluation == .firstMatch)
            policies.rateLimits.append(RateLimitPolicy(rules, evaluation: evaluation))
        case .loadBalancing:
            try map.refuse(["model_configs"])
            balancing += try rules(nodes(of: map), kind, behind: balancing)
        case .fallback:
            fallbacks += try rules(nodes(of: map), kind, behind: fallbacks)
            if let cycle = FallbackCycle.find(in: fallbacks) {
                throw root.error("the fallbacks lead back to where they began: \(cycle); a call would go in a circle")
            }
        case .logging:
            try readLogging(map)
        }
        policies.documents.append(PolicyDocument(map, of: type))
    }

    private mutating func readLogging(_ map: YAMLMapping) throws(ConfigurationError) {
        if let nodes = try LoggingRule.nodes(of: map) {
            loggings += try rules(nodes, .logging, firstDecides: false)
        } else {
            let rule = try LoggingRule(map, id: "name", asksForKeys: asksForKeys)
            guard ids[.logging, default: []].insert(rule.id) else { throw map.node.error(Self.takenMessage(rule.id)) }
            loggings.append(rule)
        }
        let count = Set(loggings.flatMap(\.redaction.patterns)).count
        guard count <= ContentRedactor.patternLimit else {
            throw map.node.error(
                "the `custom_patterns` of all rules are \(count) with those here; they can be "
                    + "\(ContentRedactor.patternLimit)")
        }
    }

    private func nodes(of map: YAMLMapping) throws(ConfigurationError) -> [YAMLNode] {
        try map.allow(only: ["type", "name", "rules"])
        return try map.required("rules").sequence()
    }

    /// Reads rules, whose ids are unique over all documents.
    /// - Parameters:
    ///   - earlier: the rules of earlier documents.
    ///   - firstDecides: whether the first rule that matches decides, so that one behind it may never be reached.
    private mutating func rules<Rule: PolicyRule>(
        _ nodes: [YAMLNode], _ kind: Kind, behind earlier: [Rule] = [], firstDecides: Bool = true
    ) throws(ConfigurationError) -> [Rule] {
        var (log, rules) = (ProblemLog(), [Rule]())
        for node in nodes {
            let read = log.attempt { () throws(ConfigurationError) in try Rule(node, asksForKeys: asksForKeys) }
            guard let rule = read else { continue }
            if !ids[kind, default: []].insert(rule.id) {
                log.error(at: node.location, Self.takenMessage(rule.id))
            }
            let cover = firstDecides ? (earlier + rules).first { $0.alwaysDecides && $0.when.covers(rule.when) } : nil
            if let cover {
                log.error(
                    at: node.location,
                    "the rule `\(rule.id)` is never reached: `\(cover.id)` before it matches all that it does; "
                        + "put the narrower one first")
            }
            rules.append(rule)
        }
        try log.check()
        return rules
    }

    private static func takenMessage(_ id: String) -> String {
        "the id `\(id)` is already another rule's; give each its own"
    }
}
