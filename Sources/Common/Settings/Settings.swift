internal import Upstream

/// The environment's settings, validated. `Settings.table` lists the variables; docs/configuration.md shows it.
///
/// The values that an initialiser gives are the defaults; the table shows them and has no copy of its own.
package struct Settings: Sendable, Equatable {
    package let role: Role

    // Redis
    package var redis = RedisSettings()
    /// The program that `serve` starts when no Redis is named.
    package var redisServerPath = "redis-server"

    // Secrets
    package var secretsPath = Secrets.defaultPath
    /// Whether the secrets file must exist, because the variable names it.
    package var isSecretsFileRequired = false
    /// The key that seals what travels through Redis, from either variable. Nil only in `serve`, which then makes one.
    package var gatewayKey: GatewayKey?
    /// A file with the key in base64. `Settings.read` reads it into `gatewayKey`.
    package var gatewayKeyFile: String?
    /// The file of the clients' keys. Nil: clients need none.
    package var apiKeysPath: String?

    /// The operator's rules: a file, or a folder of files. Nil: there are none.
    package var configPath: String?

    // Backends
    /// The LiteLLM proxy that gets all calls, if there is one.
    package var litellmURL: BaseURL?
    package var litellmAPIKey: SecretString?
    /// Whether LiteLLM does the tracing, with the project's Langfuse keys.
    package var litellmTraces = false
    /// `Configuration.load` makes it Langfuse's cloud in `serve` too when the secrets file has keys for it and no
    /// variable says where.
    package var langfuse: LangfuseHost
    /// The provider or account for calls that name no model.
    package var defaultProvider: String?
    /// The time for which the default provider's list of models is good.
    package var modelListAge = Duration.seconds(10)
    /// From the question for that list to the last byte of the answer.
    package var modelListTimeout = Duration.seconds(5)
    /// The largest such list.
    package var modelListBytes = 8 << 20

    // HTTP
    package var host: String
    /// 0: any free port.
    package var port = 4000
    /// Whether people may look at `/dashboard`.
    package var dashboard = true
    /// Whether people may do what is the operator's there, where clients need no key.
    package var dashboardAdmin = false
    /// Pages that are brought up to date at once.
    package var dashboardStreams = 64
    /// Nil: this machine's names where the listener is there for this machine alone and asks for no key, else any.
    package var allowedHosts: AllowedHosts?
    package var allowedOrigins = AllowedOrigins.none
    package var clientIdleTimeout = Duration.seconds(75)
    package var clientReadTimeout = Duration.seconds(30)
    package var maxConnections = 20_000
    package var maxBodyBytes = 16 << 20
    /// Bytes of large bodies that are being read at once.
    package var uploadBytes = 256 << 20
    package var maxHeaderBytes = 32 << 10
    package var maxHeaders = 128
    package var maxJSONDepth = 128
    package var maxResponseBytes = 64 << 20
    /// Bytes of an answer that may wait at the ingress for one slow reader.
    package var maxBufferedBytes = 1 << 20
    /// Headers from which metadata is read, beside `X-TFY-METADATA`.
    package var metadataHeaders: [MetadataHeader] = []
    package var onDisconnect = DisconnectPolicy.cancel
    package var requestLogging = RequestLoggingMode.headerControlled

    // Queue
    package var queueLimit = 100_000
    package var queueBytes = 1 << 30
    package var forwarderConcurrency = 5000
    package var maxDeliveries = 3
    package var deadLetterLimit = 10_000
    /// Bytes of answers and logs that are kept in Redis beyond the life of a call.
    package var keptBytes = 1 << 30
    /// Bytes of one log entry, once for each rollout that it is kept with.
    package var logEntryBytes = 1 << 20
    package var rolloutTTL = Duration.seconds(86_400)

    // Traces
    /// Bytes of spans that may wait for their export.
    package var outboxBytes = 1 << 30
    /// Bytes of records that may wait for the request log.
    package var requestLogBytes = 256 << 20
    package var spanTextBytes = 4 << 20
    /// The time for which a span may wait for its export.
    package var outboxMaxAge = Duration.seconds(86_400)
    /// The time for which spans are collected before they are sent.
    package var exportInterval = Duration.milliseconds(500)
    package var exportTimeout = Duration.seconds(10)
    /// The time for which an accepted span may be invisible before it is sent again.
    package var verifyResendGrace = Duration.seconds(15)
    /// Questions that one verifier works on at once.
    package var verifierConcurrency = 64
    /// Questions that wait at one verifier at a time, for a permit, a look or an end.
    package var verifierWaiters = 4096

    // The request log
    /// The operator's prices of models, which go before the gateway's own. Nil: there are none.
    package var pricesPath: String?

    // Calls to providers
    /// From the request's arrival to the last byte of its answer.
    package var requestTimeout = Duration.seconds(300)
    package var upstreamAttempts = 3
    /// Calls that are made for one request in all.
    package var maxAttempts = 10
    /// Retries that a client may ask for; 0: none.
    package var maxClientRetries = 5
    /// The time for which the beginning of an answer is held back while a rule may still send its call elsewhere.
    package var preambleHold = Duration.seconds(10)
    /// Bytes of an answer that are held back so.
    package var preambleHoldBytes = 64 << 10
    /// The time for which a provider's refusal of a member that the gateway adds is remembered; zero: not at all.
    package var refusedMemberTTL = Duration.seconds(3600)
    /// The most accounts and models for which such a refusal is remembered.
    package var refusedMemberLimit = 1000
    package var upstreamConnectTimeout = Duration.seconds(10)
    package var upstreamIdleTimeout = Duration.seconds(300)
    /// Whole seconds for which an idle connection to a provider may be used again; accounts may have their own.
    package var upstreamIdleConnectionSeconds = ConnectionUse().idleSeconds
    /// The time for which bytes of an answer may lie at a forwarder before they are sent.
    package var flushInterval = Duration.milliseconds(20)
    /// Whether a client's own base URL may lead to this machine.
    package var allowLoopbackBaseURLs: Bool
    /// Whether a client's own base URL may lead to a private network.
    package var allowPrivateBaseURLs = false

    /// The most scores that the traces of one page of `/traces` may have.
    package var tracesMaxScores = 10_000

    // The embedded trace store
    package var traceStoreHost = "127.0.0.1"
    /// 0: any free port. The neighbour of the gateway's own; 3000 is where a Langfuse of one's own listens, and 4318 an
    /// OpenTelemetry collector.
    package var traceStorePort = 4001
    /// Connections of clients to it.
    package var traceStoreMaxConnections = 256
    package var traceStoreMaxAge = Duration.seconds(30 * 86_400)
    package var traceStoreMaxBytes = 10 << 30
    /// The time for which a row of the request log is kept.
    package var requestLogMaxAge = Duration.seconds(30 * 86_400)
    /// The time for which an audit row is kept.
    package var auditLogMaxAge = Duration.seconds(365 * 86_400)
    /// Of one export, decompressed. Langfuse's Python SDK sends no more than this.
    package var traceStoreMaxExportBytes = 64 << 20

    // The request log
    package var requestLog = RequestLogPlace.embedded
    /// Questions about the request log that are worked on at once.
    package var queryConcurrency = 16
    /// From such a question to the last byte of its answer.
    package var queryTimeout = Duration.seconds(300)

    // Metrics
    package var metricsHost = "127.0.0.1"
    /// The port on which each process shows its metrics, besides the ingress's own page; 0: any free port. Nil: none.
    package var metricsPort: Int?
    /// Connections of scrapers to that port.
    package var metricsMaxConnections = 16
    /// Metadata by whose values calls are counted.
    package var metricsMetadataKeys: [String] = []
    /// Values of each of these keys that are told apart.
    package var metricsMetadataValues = 50
    /// Models that are told apart, besides those that the operator's rules name.
    package var metricsModels: [String] = []
    /// Models that are told apart in all.
    package var metricsModelValues = 100

    // The process
    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.auto
    /// `serve` keeps its own Redis' files and keys here.
    package var dataDirectory = "./data"
    /// The difference between this machine's clock and that of Redis from which on it is warned of.
    package var clockSkew = Duration.seconds(2)
    /// The time for which a stopping process waits for the work in flight.
    package var drain = Duration.seconds(30)

    /// The defaults of a role. The values that the role requires are still missing.
    package init(role: Role) {
        self.role = role
        host = role == .serve ? "127.0.0.1" : "0.0.0.0"
        langfuse = role == .serve || role == .tracestore ? .embedded : .cloud
        allowLoopbackBaseURLs = role == .serve
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
        isSecretsFileRequired = environment["SECRETS_PATH"] != nil
        if environment["ALLOW_LOOPBACK_BASE_URLS"] == nil, role == .serve {
            allowLoopbackBaseURLs = HostName.isLoopback(host)
        }
    }

    private mutating func readGatewayKeyFile(given environment: [String: String], _ log: inout ProblemLog) {
        guard let path = gatewayKeyFile else { return }
        if environment["GATEWAY_KEY"] != nil {
            return log.error(
                at: .environment("GATEWAY_KEY_FILE"), "is set together with GATEWAY_KEY; remove one of them")
        }
        guard let file = log.attempt({ () throws(ConfigurationError) in try ConfigurationFile(reading: path) }) else {
            return
        }
        if let warning = file.permissionWarning { log.note(warning) }
        let text = String(decoding: file.bytes, as: UTF8.self).filter { !$0.isWhitespace }
        gatewayKey = GatewayKey(base64: text)
        if gatewayKey == nil { log.error(at: .file(path), "must hold \(SettingRule.gatewayKey.text)") }
    }

    private func checkRequired(given environment: [String: String], _ log: inout ProblemLog) {
        for setting in Self.table where setting.requiredBy.contains(role) && environment[setting.name] == nil {
            // The key's file stands for the key; what is wrong with it is noted already.
            if setting.name == "GATEWAY_KEY", gatewayKeyFile != nil { continue }
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
