/// The environment's settings, validated. `Settings.table` lists the variables; docs/configuration.md shows it.
///
/// The values of its groups are the defaults. Each group has a file of its own, with the variables that set it; their
/// table shows the defaults and has no copy of them.
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
        _ name: String, _ value: any WritableKeyPath<Settings, Value> & Sendable, rule: SettingRule<Value>,
        meaning: String,
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
        _ name: String, _ value: any WritableKeyPath<Settings, Value?> & Sendable, rule: SettingRule<Value>,
        meaning: String,
        commands: [Role] = Role.allCases, requiredBy: [Role] = []
    ) {
        self.init(name, value, rule: rule.optional, meaning: meaning, commands: commands, requiredBy: requiredBy)
    }

    /// The rule with its example, for messages.
    package var advice: String { example.map { "\(rule); for example \($0)" } ?? rule }

    /// The location at which problems with the setting are reported.
    package var location: ConfigurationProblem.Location { .environment(name) }
}
