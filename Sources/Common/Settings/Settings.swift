/// The environment's settings, validated. `Settings.table` lists the variables; docs/configuration.md shows it.
///
/// The values of its groups (SettingsGroups.swift) are the defaults; the table shows them and has no copy of its own.
package struct Settings: Sendable, Equatable {
    package let role: Role

    package var redis = RedisSettings()
    package var secrets = SecretsSettings()
    /// The operator's rules: a file, or a folder of files. Nil: there are none.
    package var configPath: String?
    package var backends: BackendSettings
    package var http: HTTPSettings
    package var queue = QueueSettings()
    package var traces = TraceSettings()
    package var calls: CallSettings
    package var traceStore = TraceStoreSettings()
    package var requestLog = RequestLogSettings()
    package var metrics = MetricsSettings()
    package var process = ProcessSettings()

    /// The defaults of a role. The values that the role requires are still missing.
    package init(role: Role) {
        self.role = role
        backends = BackendSettings(role: role)
        http = HTTPSettings(role: role)
        calls = CallSettings(role: role)
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

/// One variable of the environment: what it means, what it must be, and which of `Settings`' values it sets.
package struct Setting: Sendable {
    /// Such as `REDIS_PORT`.
    package let name: String
    /// The effect of the setting, in a sentence or two of Markdown.
    package let meaning: String
    /// Completes "must be …"; names the unit.
    package let rule: String
    /// A value that keeps to the rule; nil for a secret.
    package let example: String?
    /// Whether its value must not be shown.
    package let isSecret: Bool
    /// The commands that use the setting. The others check it all the same, so that one environment can serve all.
    package let commands: [Role]
    /// The commands that do not start without it.
    package let requiredBy: [Role]
    /// Reads a value's text into the settings; false if it is against the rule.
    let assign: @Sendable (String, inout Settings) -> Bool
    /// The value in the settings as text; empty if there is none.
    let show: @Sendable (Settings) -> String

    init<Value>(
        _ name: String, _ value: any WritableKeyPath<Settings, Value> & Sendable, _ rule: SettingRule<Value>,
        _ meaning: String,
        commands: [Role] = Role.allCases, requiredBy: [Role] = []
    ) {
        self.name = name
        self.meaning = meaning
        self.rule = rule.text
        example = rule.example
        isSecret = rule.isSecret
        self.commands = commands
        self.requiredBy = requiredBy
        assign = { text, settings in
            guard let parsed = rule.parse(text) else { return false }
            settings[keyPath: value] = parsed
            return true
        }
        show = { rule.show($0[keyPath: value]) }
    }

    /// A setting that has no value by default.
    init<Value>(
        _ name: String, _ value: any WritableKeyPath<Settings, Value?> & Sendable, _ rule: SettingRule<Value>,
        _ meaning: String,
        commands: [Role] = Role.allCases, requiredBy: [Role] = []
    ) {
        self.init(name, value, rule.optional, meaning, commands: commands, requiredBy: requiredBy)
    }

    /// The rule with its example, for messages.
    package var advice: String { example.map { "\(rule); for example \($0)" } ?? rule }

    /// The location at which problems with the setting are reported.
    package var location: ConfigurationProblem.Location { .environment(name) }
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
