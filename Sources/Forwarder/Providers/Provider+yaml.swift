internal import Common

extension Provider {
    /// Reads one entry of the table.
    init(prefix: String, node: YAMLNode) throws(ConfigurationError) {
        let map = try node.mapping()
        try map.allow(only: [
            "url", "keys", "bases", "base_suffix", "auth", "headers", "key_optional", "model", "chat", "rejects",
            "native",
        ])
        self.init(prefix: prefix)
        if let url = map["url"] { self.url = try Self.template(url) }
        keyVariables = try map["keys"]?.strings() ?? []
        baseVariables = try map["bases"]?.strings() ?? []
        if let suffix = map["base_suffix"] { baseSuffix = try Self.path(suffix) }
        if let auth = map["auth"] { keyHeader = .named(try auth.string()) }
        for header in try map["headers"]?.mapping().entries ?? [] {
            headers.append(HeaderField(header.key, try header.value.string()))
        }
        isKeyOptional = try map["key_optional"]?.bool() ?? false
        if let rule = map["model"] { modelRule = try Self.rule(rule) }
        if let chat = map["chat"] { chatPath = try Self.path(chat) }
        if let native = map["native"] {
            let native = try native.mapping()
            try native.allow(only: ["paths", "auth", "replaces_suffix"])
            nativePaths = try native.required("paths").strings()
            nativeKeyHeader = .named(try native.required("auth").string())
            nativeReplacesSuffix = try native["replaces_suffix"]?.bool() ?? false
        }
        rejectedMembers = Set(texts: try map["rejects"]?.strings() ?? [])
    }

    private static func template(_ node: YAMLNode) throws(ConfigurationError) -> URLTemplate {
        let text = try node.string()
        guard let template = URLTemplate(text) else {
            throw node.error(
                "`\(text)` has a brace that is not closed or names no variable; write `{VARIABLE}` or `{FIRST|SECOND=default}`"
            )
        }
        return template
    }

    private static func path(_ node: YAMLNode) throws(ConfigurationError) -> String {
        let text = try node.string()
        guard text.hasPrefix("/"), RequestPath.isSafe(text) else {
            throw node.error("`\(text)` is not a path; it begins with `/` and is percent-encoded, such as `/v1`")
        }
        return text
    }

    private static func rule(_ node: YAMLNode) throws(ConfigurationError) -> ModelRule {
        let name = try node.string()
        guard let rule = ModelRule(rawValue: name) else {
            let known = ModelRule.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            throw node.error("there is no model rule `\(name)`; known: \(known)")
        }
        return rule
    }
}

extension YAMLNode {
    /// The texts of a list.
    func strings() throws(ConfigurationError) -> [String] {
        var texts: [String] = []
        for element in try sequence() { texts.append(try element.string()) }
        return texts
    }
}
