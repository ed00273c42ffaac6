/// Reads the parts of a secrets file. Each part goes on after an error and notes it.
struct SecretsReader {
    let environment: [String: String]
    /// Keys that it does not need are left out where they stand in the environment.
    let role: Role

    /// `langfuse_keys: {project: {public_key, secret_key}}`, each `key | {env: NAME}`. A project with nothing behind
    /// its colon has no keys.
    func projects(_ node: YAMLNode, _ log: inout ProblemLog) -> [UTF8Text: Project] {
        entries(of: node, &log) { name, value throws(ConfigurationError) in
            if value.isNull { return Project(name: name) }
            let keys = try value.mapping(of: ["public_key", "secret_key"])
            let publicKey = try key(keys.required("public_key"), isNeeded: role.handlesTraces)
            let secretKey = try key(keys.required("secret_key"), isNeeded: role.handlesTraces)
            guard let publicKey, let secretKey else { return Project(name: name) }
            return Project(name: name, langfuse: LangfuseKeys(publicKey: publicKey, secretKey: secretKey))
        }
    }

    /// `default_project_id`, which may be left out if there is only one project. Without `langfuse_keys` that is
    /// `Secrets.none`'s.
    func defaultProject(_ root: YAMLMapping) throws(ConfigurationError) -> String {
        let written = root["langfuse_keys"]?.keys ?? []
        let projects = written.isEmpty ? [Secrets.none.defaultProject] : written
        guard let node = root["default_project_id"] else {
            if projects.count == 1 { return projects[0] }
            throw root.node.error(
                "`default_project_id` is missing; with several projects it must name the one for paths without `project_id`"
            )
        }
        let name = try node.string()
        if projects.contains(name) { return name }
        let hint = SpellingSuggestion.nearest(to: name, among: projects).map { "; did you mean `\($0)`?" } ?? ""
        throw node.error("`default_project_id` is `\(name)`, which is not in `langfuse_keys`\(hint)")
    }

    /// `provider_keys: {prefix: key | {env: NAME}}`.
    func providerKeys(_ node: YAMLNode, _ log: inout ProblemLog) -> [UTF8Text: SecretString] {
        entries(of: node, &log) { _, value throws(ConfigurationError) in
            try key(value, isNeeded: role.callsProviders)
        }.compactMapValues { $0 }
    }

    /// `accounts: {name: {kind: prefix | base_url: URL, key: … | key_env: NAME}}`, and how the account's connections
    /// are used.
    func accounts(_ node: YAMLNode, _ log: inout ProblemLog) -> [UTF8Text: ProviderAccount] {
        entries(of: node, &log) { name, value throws(ConfigurationError) in
            let members = try value.mapping(
                of: [
                    "kind", "base_url", "key", "key_env", "idle_connection_seconds", "repeat_on_closed_connection",
                    "rejects",
                ])
            var account = ProviderAccount(
                name: name, destination: try destination(members), key: try key(members), location: value.location)
            account.idleConnectionSeconds =
                try members["idle_connection_seconds"]?.int(in: ProviderAccount.idleConnectionSeconds)
            account.repeatsOnClosedConnection = try members["repeat_on_closed_connection"]?.bool() ?? true
            account.rejectedMembers = try rejects(members["rejects"])
            return account
        }
    }

    /// `rejects: [stream_options]`.
    private func rejects(_ node: YAMLNode?) throws(ConfigurationError) -> [String] {
        var members: [String] = []
        for element in try node?.sequence() ?? [] {
            let name = try element.string()
            guard ProviderAccount.addedMembers.contains(name) else {
                let known = ProviderAccount.addedMembers.map { "`\($0)`" }.joined(separator: ", ")
                let hint = SpellingSuggestion.nearest(to: name, among: ProviderAccount.addedMembers)
                    .map { "; did you mean `\($0)`?" }
                throw element.error(
                    "the gateway adds no member `\(name)` to requests, so `rejects` cannot name it; it adds \(known)"
                        + (hint ?? ""))
            }
            members.append(name)
        }
        return members
    }

    private func destination(_ account: YAMLMapping) throws(ConfigurationError) -> ProviderAccount.Destination {
        switch (account["kind"], account["base_url"]) {
        case (let kind?, nil): return .provider(try kind.name())
        case (nil, let url?): return .baseURL(try url.baseURL())
        default:
            throw account.node.error(
                "\(account.node.label) needs either `kind`, a provider such as `openai`, or `base_url`, such as \(BaseURL.example)"
            )
        }
    }

    private func key(_ account: YAMLMapping) throws(ConfigurationError) -> SecretString? {
        switch (account["key"], account["key_env"]) {
        case (nil, nil): return nil
        case (let key?, nil): return try key.secret()
        case (nil, let name?): return try variable(name, isNeeded: role.callsProviders)
        case (_?, let name?):
            throw name.error("\(account.node.label) has both `key` and `key_env`; remove one of them")
        }
    }

    /// A key that is written out, or `{env: NAME}`.
    private func key(_ node: YAMLNode, isNeeded: Bool) throws(ConfigurationError) -> SecretString? {
        guard case .mapping = node.content else { return try node.secret() }
        return try variable(node.mapping(of: ["env"]).required("env"), isNeeded: isNeeded)
    }

    /// The value of the variable that `node` names.
    private func variable(_ node: YAMLNode, isNeeded: Bool) throws(ConfigurationError) -> SecretString? {
        let name = try node.string()
        guard isNeeded else { return nil }
        guard let value = environment[name], !value.isEmpty else {
            throw node.error(
                "\(node.label) names the variable `\(name)`, which is not set; export it, or correct the name")
        }
        guard HeaderText.isToken(value) else {
            throw node.error("the variable `\(name)` must hold visible ASCII characters without spaces or line breaks")
        }
        return SecretString(value)
    }

    /// Reads each entry of a mapping whose keys are the operator's names. An entry that fails is noted and left out.
    private func entries<Value>(
        of node: YAMLNode, _ log: inout ProblemLog, _ read: (String, YAMLNode) throws(ConfigurationError) -> Value
    ) -> [UTF8Text: Value] {
        guard let mapping = log.attempt({ () throws(ConfigurationError) in try node.mapping() }) else { return [:] }
        var values: [UTF8Text: Value] = [:]
        for entry in mapping.entries {
            guard ConfigurationName.isValid(entry.key) else {
                log.error(at: entry.location, "a name in \(node.label) must be \(ConfigurationName.rule)")
                continue
            }
            values[entry.key] = log.attempt { () throws(ConfigurationError) in try read(entry.key, entry.value) }
        }
        return values
    }
}
