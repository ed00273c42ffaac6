internal import Common

extension LoggingRule {
    private static let keys = ["when", "log", "redact_with"]

    /// The rules of a document; nil if the document itself is one, whose name is its id (TrueFoundry's SDK).
    static func nodes(of map: YAMLMapping) throws(ConfigurationError) -> [YAMLNode]? {
        try map.allow(only: ["type", "name", "rules"] + keys)
        guard let other = map.entries.first(where: { keys.contains($0.key) }) else {
            return try map.required("rules").sequence()
        }
        guard map["rules"] == nil else {
            throw ConfigurationError(
                at: other.location,
                "the document has `rules`, and `\(other.key)` as if it were one itself; move it into a rule")
        }
        return nil
    }

    init(_ node: YAMLNode, asksForKeys: Bool) throws(ConfigurationError) {
        try self.init(node.mapping(of: ["id"] + Self.keys), id: "id", asksForKeys: asksForKeys)
    }

    /// - Parameter id: the key of the rule's id.
    init(_ map: YAMLMapping, id key: String, asksForKeys: Bool) throws(ConfigurationError) {
        var log = ProblemLog()
        let id = log.attempt { () throws(ConfigurationError) in try map.required(key).name() }
        let when = log.attempt { () throws(ConfigurationError) in
            try RuleCondition(map["when"], asksForKeys: asksForKeys)
        }
        let isLogged = log.attempt { () throws(ConfigurationError) in try map.required("log").bool() }
        var redaction = LogRedaction()
        if let node = map["redact_with"] {
            redaction = log.attempt { () throws(ConfigurationError) in try LogRedaction(node) } ?? LogRedaction()
            if isLogged == false {
                log.error(at: node.location, "`redact_with` has nothing to do where `log` is false; remove it")
            }
        }
        try log.check()
        guard let id, let when, let isLogged else { throw map.node.error("\(map.node.label) cannot be read") }
        self.init(id: id, when: when, isLogged: isLogged, redaction: redaction, location: map.node.location)
    }
}

extension LogRedaction {
    fileprivate init(_ node: YAMLNode) throws(ConfigurationError) {
        self.init()
        let map = try node.mapping(of: ["presets", "custom_patterns"])
        var log = ProblemLog()
        let named = log.attempt { () throws(ConfigurationError) in try map["presets"]?.sequence() ?? [] }
        for node in named ?? [] {
            if let preset = log.attempt({ () throws(ConfigurationError) in try RedactionPreset(node) }) {
                presets.append(UTF8Text(preset.rawValue))
            }
        }
        let custom = log.attempt { () throws(ConfigurationError) in try map["custom_patterns"]?.sequence() ?? [] }
        for node in custom ?? [] {
            if let pattern = log.attempt({ () throws(ConfigurationError) in try Pattern(node) }) {
                patterns.append(pattern)
            }
        }
        try log.check()
        if isEmpty { throw node.error("\(node.label) takes nothing out; name `presets` or `custom_patterns`") }
    }
}

extension RedactionPreset {
    fileprivate init(_ node: YAMLNode) throws(ConfigurationError) {
        let name = try node.string()
        if Self.later.contains(name) { throw node.error("the preset `\(name)` is not supported yet; remove it") }
        self = try node.choice(among: Self.allCases.map { ($0.rawValue, $0) })
    }
}

extension LogRedaction.Pattern {
    /// An expression, or a mapping of `pattern` and perhaps `redaction_text`.
    fileprivate init(_ node: YAMLNode) throws(ConfigurationError) {
        var (expression, replacement) = (node, ContentRedactor.mark)
        if case .mapping = node.content {
            let map = try node.mapping(of: ["pattern", "redaction_text"])
            expression = try map.required("pattern")
            if let node = map["redaction_text"] { replacement = try Self.replacement(node) }
        }
        let text = try expression.string()
        do throws(PatternError) { _ = try SearchPattern(text) } catch { throw expression.error(error) }
        self.init(text, replacement: replacement)
    }

    /// It may come to stand in JSON within JSON, which it must not end.
    private static func replacement(_ node: YAMLNode) throws(ConfigurationError) -> String {
        let text = try node.string()
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar != "\"" && scalar != "\\" && scalar.properties.generalCategory != .control
        }
        guard isPlain, text.unicodeScalars.dropFirst(ContentRedactor.replacementLimit).isEmpty else {
            throw node.mismatch(
                "text of at most \(ContentRedactor.replacementLimit) characters without quotes, backslashes and "
                    + "control characters")
        }
        return text
    }
}
