internal import Common

extension RuleCondition {
    static let keys = ["subjects", "models", "metadata", "metadata_from"]

    /// Reads a `when`.
    /// - Parameters:
    ///   - asksForKeys: whether clients are known by keys.
    ///   - further: keys that this kind of rule knows besides, and reads itself.
    /// - Throws: all problems, each with its place.
    init(_ node: YAMLNode?, asksForKeys: Bool, further: [String] = []) throws(ConfigurationError) {
        self.init()
        guard let node else { return }
        let map = try node.mapping(of: Self.keys + further)
        var log = ProblemLog()
        if let node = map["subjects"],
            let read = log.attempt({ () throws(ConfigurationError) in try Choice(subjects: node, asksForKeys) })
        {
            subjects = read
        }
        if let node = map["models"],
            let read = log.attempt({ () throws(ConfigurationError) in try Choice(models: node) })
        {
            models = read
        }
        if let node = map["metadata"] {
            metadata = log.attempt { () throws(ConfigurationError) in try Self.demands(node) } ?? []
        }
        if let node = map["metadata_from"] {
            origin = log.attempt { () throws(ConfigurationError) in
                try node.choice(among: [("key", .key), ("gateway", .gateway)])
            }
            if map["metadata"] == nil { log.error(at: node.location, "`metadata_from` needs `metadata` beside it") }
        }
        try log.check()
    }

    /// Reads what is asked of the values of some keys.
    static func demands(_ node: YAMLNode) throws(ConfigurationError) -> [Demand] {
        var (log, demands) = (ProblemLog(), [Demand]())
        for entry in try node.mapping().entries {
            let read = log.attempt { () throws(ConfigurationError) in try MetadataTest.all(entry.value) }
            demands += (read ?? []).map { Demand(key: UTF8Text(entry.key), test: $0) }
        }
        try log.check()
        return demands
    }
}

extension RuleCondition.Choice {
    /// A text, a list of texts, or `{in: […], not_in: […]}`.
    private init(_ node: YAMLNode, read: (YAMLNode) throws(ConfigurationError) -> Element) throws(ConfigurationError) {
        self.init()
        guard case .mapping = node.content else {
            included = try Self.set(node, read: read)
            return
        }
        let map = try node.mapping(of: ["in", "not_in"])
        if let node = map["in"] { included = try Self.set(node, read: read) }
        if let node = map["not_in"] { excluded = try Self.set(node, read: read) }
    }

    private static func set(
        _ node: YAMLNode, read: (YAMLNode) throws(ConfigurationError) -> Element
    ) throws(ConfigurationError) -> Set<Element> {
        if case .scalar = node.content, !node.isNull { return [try read(node)] }
        var found: Set<Element> = []
        for element in try node.sequence() { found.insert(try read(element)) }
        // A list of nothing would hold for everything, which is hardly what was meant.
        if found.isEmpty { throw node.error("\(node.label) is empty; leave it out to mean all") }
        return found
    }
}

extension RuleCondition.Choice<Subject> {
    fileprivate init(subjects node: YAMLNode, _ asksForKeys: Bool) throws(ConfigurationError) {
        try self.init(node) { node throws(ConfigurationError) in try Subject(node, asksForKeys: asksForKeys) }
    }
}

extension RuleCondition.Choice<UTF8Text> {
    fileprivate init(models node: YAMLNode) throws(ConfigurationError) {
        try self.init(node) { node throws(ConfigurationError) in UTF8Text(try node.string()) }
    }
}

extension MetadataTest {
    /// A text, which must be the value, or a mapping of tests that it must pass.
    fileprivate static func all(_ node: YAMLNode) throws(ConfigurationError) -> [MetadataTest] {
        guard case .mapping = node.content else { return [.equals(UTF8Text(try node.string()))] }
        let comparisons = NumberComparison.allCases.map(\.rawValue)
        let map = try node.mapping(of: ["in", "not_in", "regex", "present"] + comparisons)
        var tests: [MetadataTest] = []
        for entry in map.entries {
            switch UTF8Text(entry.key) {
            case "in": tests.append(.isIn(try texts(entry.value)))
            case "not_in": tests.append(.notIn(try texts(entry.value)))
            case "present": tests.append(.present(try entry.value.bool()))
            case "regex":
                tests.append(.regex(try Pattern(entry.value)))
            default:
                guard let comparison = NumberComparison(rawValue: entry.key),
                    let bound = Double(try entry.value.string()), bound.isFinite
                else { throw entry.value.mismatch("a number") }
                tests.append(.number(comparison, bound))
            }
        }
        if tests.isEmpty { throw node.error("\(node.label) asks for nothing") }
        return tests
    }

    private static func texts(_ node: YAMLNode) throws(ConfigurationError) -> Set<UTF8Text> {
        var found: Set<UTF8Text> = []
        for element in try node.sequence() { found.insert(try element.string()) }
        if found.isEmpty { throw node.error("\(node.label) is empty") }
        return found
    }
}
