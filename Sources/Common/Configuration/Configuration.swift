/// All that a process is told before it starts, checked.
package struct Configuration: Sendable, Equatable {
    package var settings: Settings
    package var secrets: Secrets
    /// Doubtful points that are no reason not to start.
    package var warnings: [ConfigurationProblem]

    /// Reads the environment and the files that it names.
    ///
    /// - Throws: all problems of all of them, warnings included.
    package static func load(role: Role, environment: [String: String]) throws(ConfigurationError) -> Configuration {
        try load(over: Settings(role: role), environment: environment)
    }

    /// As `load(role:environment:)`, over other defaults than the role's own.
    package static func load(
        over defaults: Settings, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        var log = ProblemLog()
        var settings = Settings.read(over: defaults, environment: environment, &log)
        let secrets = log.attempt { () throws(ConfigurationError) in try Self.secrets(settings, environment) }
        if let secrets {
            secrets.warnings.forEach { log.note($0) }
            let hasLangfuseKeys = secrets.projects.values.contains { $0.langfuse != nil }
            if settings.isTraceStoreChosenBySecrets(environment), hasLangfuseKeys {
                settings.backends.langfuse = .cloud
            }
            warnOfUntraced(secrets, settings: settings, log: &log)
            settings.checkPorts(storesTraces: settings.storesTraces, &log)
        }
        try log.check()
        guard let secrets else { throw ConfigurationError(log.problems) }
        return Configuration(settings: settings, secrets: secrets, warnings: log.problems)
    }

    /// Everything that `load` has to say about the configuration, errors and warnings, a line each. Empty if all is
    /// well.
    package static func check(role: Role, environment: [String: String]) -> [ConfigurationProblem] {
        do throws(ConfigurationError) {
            return try load(role: role, environment: environment).warnings
        } catch {
            return error.problems
        }
    }

    private static func secrets(
        _ settings: Settings, _ environment: [String: String]
    ) throws(ConfigurationError) -> Secrets {
        guard settings.secrets.isFileRequired || ConfigurationFile.exists(settings.secrets.path) else { return .none }
        return try Secrets(path: settings.secrets.path, environment: environment, role: settings.role)
    }

    private static func warnOfUntraced(_ secrets: Secrets, settings: Settings, log: inout ProblemLog) {
        guard settings.role.handlesTraces, case .url(let url) = settings.backends.langfuse,
            secrets.projects != Secrets.none.projects
        else { return }
        let untraced = secrets.projects.values.filter { $0.langfuse == nil }.map(\.name).sorted()
        guard let first = untraced.first else { return }
        let others = untraced.count > 1 ? " and \(untraced.count - 1) more" : ""
        log.warning(
            at: .environment("LANGFUSE_HOST"),
            "project `\(first)`\(others) cannot be traced to \(url): it has no `langfuse_keys` in \(settings.secrets.path)"
        )
    }
}

extension Settings {
    /// Whether this process runs the trace store, and listens for it.
    var storesTraces: Bool { role == .tracestore || role == .serve && backends.langfuse == .embedded }

    /// Whether `langfuse_keys` decide where traces go: in `serve`, unless `LANGFUSE_HOST` does.
    package func isTraceStoreChosenBySecrets(_ environment: [String: String]) -> Bool {
        role == .serve && environment["LANGFUSE_HOST"]?.isEmpty != false
    }
}

extension Settings {
    /// Reads the environment over the defaults of a role. An empty value counts as none, as Compose passes `${NAME:-}`.
    ///
    /// - Throws: every problem of every variable.
    package static func read(role: Role, environment: [String: String]) throws(ConfigurationError) -> Settings {
        var log = ProblemLog()
        let settings = read(over: Settings(role: role), environment: environment, &log)
        try log.check()
        return settings
    }

    /// Reads the environment over `defaults` and notes all problems. The settings are fit for use only if none is an
    /// error.
    package static func read(
        over defaults: Settings, environment: [String: String], _ log: inout ProblemLog
    ) -> Settings {
        let environment = environment.givenVariables
        var settings = defaults
        for setting in table {
            guard let text = environment[setting.name] else { continue }
            guard !setting.assign(text, &settings) else { continue }
            let isLink = ServiceLink.isLink(name: setting.name, value: text)
            if isLink, !setting.isUsed(by: settings.role, environment) {
                log.warning(at: setting.location, ServiceLink.ignored(text.escapedForDisplay))
            } else {
                log.error(
                    at: setting.location,
                    setting.complaint(about: text) + (isLink ? ServiceLink.repair(setting.name) : ""))
            }
        }
        settings.applyDependentDefaults(given: environment)
        settings.readGatewayKeyFile(given: environment, &log)
        settings.checkRequired(given: environment, &log)
        settings.checkTogether(&log)
        settings.checkRequestLog(given: environment, &log)
        warnOfNearMisses(environment, &log)
        return settings
    }

    /// Defaults that follow from other settings.
    private mutating func applyDependentDefaults(given environment: [String: String]) {
        secrets.isFileRequired = environment["SECRETS_PATH"] != nil
        if environment["ALLOW_LOOPBACK_BASE_URLS"] == nil, role == .serve {
            calls.allowLoopbackBaseURLs = HostName.isLoopback(http.host)
        }
    }

    private mutating func readGatewayKeyFile(given environment: [String: String], _ log: inout ProblemLog) {
        guard let path = secrets.gatewayKeyFile else { return }
        if environment["GATEWAY_KEY"] != nil {
            return log.error(
                at: .environment("GATEWAY_KEY_FILE"), "is set together with GATEWAY_KEY; remove one of them")
        }
        guard let file = log.attempt({ () throws(ConfigurationError) in try ConfigurationFile(reading: path) }) else {
            return
        }
        if let warning = file.permissionWarning { log.note(warning) }
        let text = String(decoding: file.bytes, as: UTF8.self).filter { !$0.isWhitespace }
        secrets.gatewayKey = GatewayKey(base64: text)
        if secrets.gatewayKey == nil { log.error(at: .file(path), "must hold \(SettingRule.gatewayKey.text)") }
    }

    private func checkRequired(given environment: [String: String], _ log: inout ProblemLog) {
        for setting in Self.table where setting.requiredBy.contains(role) && environment[setting.name] == nil {
            // The key's file stands for the key; what is wrong with it is noted already.
            if setting.name == "GATEWAY_KEY", secrets.gatewayKeyFile != nil { continue }
            log.error(at: setting.location, "must be set for `\(role.rawValue)`: \(setting.advice)")
        }
    }

    /// A misspelt name would otherwise be ignored without a word. Short names are left alone: too much resembles
    /// `PORT`.
    private static func warnOfNearMisses(_ environment: [String: String], _ log: inout ProblemLog) {
        let names = table.map(\.name)
        let known = Set(names)
        for name in environment.keys.sorted() where name.utf8.count >= 8 && !known.contains(name) {
            guard let nearest = SpellingSuggestion.nearest(to: name, among: names, limit: 1), nearest.utf8.count >= 8
            else {
                continue
            }
            log.warning(at: .environment(name), "is not one of the gateway's variables; did you mean `\(nearest)`?")
        }
    }
}

extension Setting {
    /// Whether the setting changes anything for a role in an environment.
    fileprivate func isUsed(by role: Role, _ environment: [String: String]) -> Bool {
        guard commands.contains(role) else { return false }
        switch name {
        case "REDIS_PORT": return environment["REDIS_HOST"].map { !$0.hasPrefix("unix:") } ?? false
        // Traces go there, and none come here.
        case "TRACESTORE_PORT" where role == .serve: return environment["LANGFUSE_HOST"]?.isEmpty != false
        default: return true
        }
    }

    /// The complaint about a value that is against the rule.
    fileprivate func complaint(about text: String) -> String {
        let value = isSecret ? "the value (not shown)" : "`\(text.escapedForDisplay)`"
        return "\(value) must be \(advice)"
    }
}

extension String {
    /// On one line, short, and without the password that a URL may hold: control characters as escapes, and at most 100
    /// characters.
    fileprivate var escapedForDisplay: String {
        var text = self
        if let user = text.firstRange(of: "://")?.upperBound, let at = text.lastIndex(of: "@"), user < at {
            text.replaceSubrange(user..<at, with: "***")
        }
        let shown = text.unicodeScalars.prefix(100).map {
            $0.properties.generalCategory == .control ? $0.escaped(asASCII: true) : String($0)
        }
        return shown.joined() + (text.unicodeScalars.count > 100 ? "…" : "")
    }
}

extension Dictionary where Key == String, Value == String {
    /// The variables of an environment that count as given: Compose passes `${NAME:-}` as an empty one.
    package var givenVariables: Self { filter { !$0.value.isEmpty } }
}
