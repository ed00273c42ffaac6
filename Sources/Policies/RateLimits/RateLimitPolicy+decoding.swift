internal import Common

extension RateLimitPolicy {
    /// The parts of a document: how its rules are evaluated, and the rules as they stand.
    static func parts(of map: YAMLMapping) throws(ConfigurationError) -> (Evaluation, rules: [YAMLNode]) {
        try map.allow(only: ["type", "name", "evaluate", "rules"])
        let evaluation = try map["evaluate"].map { node throws(ConfigurationError) in
            try node.choice(among: Evaluation.allCases.map { ($0.rawValue, $0) })
        }
        return (evaluation ?? .all, try map.required("rules").sequence())
    }
}

extension RateLimitRule {
    private static let keys = [
        "id", "when", "limit_to", "unit", "rate_limit_applies_per", "default_output", "mode",
    ]
    /// Counters that a request may meet by one rule, and parts that keep them apart.
    private static let mostParts = 2
    private static let highestLimit = 1_000_000_000
    private static let usualOutput = 1024

    convenience init(_ node: YAMLNode, asksForKeys: Bool) throws(ConfigurationError) {
        let map = try node.mapping()
        try map.refuse(["on_limit"])
        try map.allow(only: Self.keys)
        var log = ProblemLog()
        let id = log.attempt { () throws(ConfigurationError) in RuleName(try map.required("id").name()) }
        let when = log.attempt { () throws(ConfigurationError) in
            try RuleCondition(map["when"], asksForKeys: asksForKeys)
        }
        let limit = log.attempt { () throws(ConfigurationError) in
            try map.required("limit_to").int(in: 1...Self.highestLimit)
        }
        let measure = log.attempt { () throws(ConfigurationError) in try Self.measure(map.required("unit")) }
        var output: Int?
        if let node = map["default_output"] {
            output = log.attempt { () throws(ConfigurationError) in try node.int(in: 0...Self.highestLimit) }
            if let measure, ![.tokens, .outputTokens].contains(measure.unit) {
                log.error(at: node.location, "`default_output` is for limits on `tokens` and `output_tokens`")
            }
        }
        var parts: [Dimension] = []
        if let node = map["rate_limit_applies_per"] {
            parts = log.attempt { () throws(ConfigurationError) in try Self.parts(node) } ?? []
        }
        if let unknown = id?.unknown.first {
            log.error(
                at: map["id"]?.location ?? node.location,
                "`{\(unknown)}` stands for nothing; known are `{user}`, `{account}`, `{model}` and `{metadata.KEY}`")
        }
        // An id may say the same, as in older files.
        for part in id?.parts ?? [] where !parts.contains(part) { parts.append(part) }
        if parts.count > Self.mostParts {
            log.error(at: node.location, "a limit can be kept apart for \(Self.mostParts) things at most")
        }
        let isEnforced = map["mode"].flatMap { node in
            log.attempt { () throws(ConfigurationError) in
                try node.choice(among: [("enforce", true), ("audit", false)])
            }
        }
        try log.check()
        guard let id, let when, let limit, let measure else { throw node.error("\(node.label) cannot be read") }
        self.init(
            name: id, when: when, limit: limit, unit: measure.unit, window: measure.window, appliesPer: parts,
            defaultOutput: output ?? Self.usualOutput, isEnforced: isEnforced ?? true)
    }

    private static func measure(
        _ node: YAMLNode
    ) throws(ConfigurationError) -> (unit: RateCharge.Unit, window: Window) {
        let choices = RateCharge.Unit.allCases.flatMap { unit in
            Window.allCases.map { (word: "\(unit.rawValue)_per_\($0.rawValue)", value: (unit: unit, window: $0)) }
        }
        return try node.choice(among: choices)
    }

    private static func parts(_ node: YAMLNode) throws(ConfigurationError) -> [Dimension] {
        var parts: [Dimension] = []
        for node in try node.sequence() {
            guard let part = Dimension(try node.string()) else {
                throw node.mismatch("`user`, `virtualaccount`, `model` or `metadata.KEY`")
            }
            if parts.contains(part) { throw node.error("\(node.label) is there twice") }
            parts.append(part)
        }
        return parts
    }
}
