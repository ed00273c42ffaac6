import Common
import Testing

struct SettingsTests {
    /// 32 zero bytes.
    static let key = String(repeating: "A", count: 43) + "="

    /// What the separate commands require.
    static let required = ["REDIS_HOST": "redis", "GATEWAY_KEY": key]

    static func read(_ environment: [String: String], role: Role = .ingress) throws(ConfigurationError) -> Settings {
        try Settings.read(role: role, environment: required.merging(environment) { $1 })
    }

    /// The lines of the error that an environment causes.
    static func problems(_ environment: [String: String], role: Role = .ingress) throws -> [String] {
        let error = try #require(throws: ConfigurationError.self) { try read(environment, role: role) }
        return error.problems.map(\.description)
    }

    @Test func `serve needs nothing`() throws {
        let settings = try Settings.read(role: .serve, environment: [:])
        #expect(settings == Settings(role: .serve))
        #expect(settings.http.host == "127.0.0.1")
        #expect(settings.redis.address == nil)
        #expect(settings.backends.langfuse == .embedded)
        #expect(settings.calls.allowLoopbackBaseURLs)
    }

    @Test(arguments: [Role.ingress, .forwarder])
    func `the others need Redis and the key`(role: Role) throws {
        let error = try #require(throws: ConfigurationError.self) { try Settings.read(role: role, environment: [:]) }
        #expect(error.problems.map(\.location) == [.environment("REDIS_HOST"), .environment("GATEWAY_KEY")])
        #expect(error.problems[0].message.hasPrefix("must be set for `\(role.rawValue)`: a host name"))
        #expect(error.problems[1].message.contains("make one with `openssl rand -base64 32`"))
        let settings = try Self.read([:], role: role)
        #expect(settings.redis.address == .host("redis"))
        #expect(settings.secrets.gatewayKey?.reveal() == Array(repeating: 0, count: 32))
        #expect(settings.http.host == "0.0.0.0")
        #expect(settings.backends.langfuse == .cloud)
        #expect(!settings.calls.allowLoopbackBaseURLs)
    }

    @Test func `every variable is read and all errors are told together`() throws {
        let bad = Dictionary(uniqueKeysWithValues: Settings.table.map { ($0.name, "canary\u{7}") })
        let error = try #require(throws: ConfigurationError.self) { try Settings.read(role: .serve, environment: bad) }
        #expect(error.problems.map(\.location) == Settings.table.map(\.location))
        for (problem, setting) in zip(error.problems, Settings.table) {
            #expect(problem.message.contains("must be \(setting.rule)"))
            #expect(problem.message.contains("canary") == !setting.isSecret)
            #expect(!problem.message.contains("\u{7}"))
        }
    }

    @Test func `secrets are the ones that are`() {
        #expect(Settings.table.filter(\.isSecret).map(\.name) == ["REDIS_PASSWORD", "GATEWAY_KEY", "LITELLM_API_KEY"])
    }

    @Test(arguments: Settings.table.filter { !$0.isSecret })
    func `the example of each rule keeps to it`(setting: Setting) throws {
        var log = ProblemLog()
        let example = try #require(setting.example)
        _ = Settings.read(over: Settings(role: .serve), environment: [setting.name: example], &log)
        #expect(!log.problems.contains { $0.message.contains("must be \(setting.rule)") })
    }

    @Test func `names are unique`() {
        #expect(Set(Settings.table.map(\.name)).count == Settings.table.count)
    }

    /// A setting that is a number, with values at its bounds and just beyond them.
    struct Bounds: Sendable, CustomTestStringConvertible {
        var name: String
        var lowest, highest: String
        var below, above: String
        var testDescription: String { name }

        init(_ name: String, lowest: String, highest: String, below: String, above: String) {
            (self.name, self.lowest, self.highest, self.below, self.above) = (name, lowest, highest, below, above)
        }
    }

    /// A new setting without a line in `bounds` is found here.
    @Test func `no number is left out`() {
        let numbers = Settings.table.filter { $0.rule.contains(/from \d/) }.map(\.name)
        #expect(Set(Self.bounds.map(\.name)) == Set(numbers))
    }

    @Test(arguments: bounds) func `every number is bounded`(_ bounds: Bounds) throws {
        let name = bounds.name
        #expect(throws: Never.self) { try Self.read([name: bounds.lowest]) }
        #expect(throws: Never.self) { try Self.read([name: bounds.highest]) }
        for value in [bounds.below, bounds.above] {
            #expect(
                try Self.problems([name: value]).first?.hasPrefix("environment: \(name): error: `\(value)` must be ")
                    == true)
        }
    }

    @Test(arguments: [
        ("100", 100), ("100.0", 100), ("0.5", nil), ("1e2", nil), ("0x10", nil), ("nan", nil), ("inf", nil),
        (" 5", nil), ("5s", nil), (".5", nil),
        ("5.", nil), ("1.5.0", nil), ("+5", nil), ("٣", nil),
    ])
    func `seconds are decimal`(text: String, expected: Double?) throws {
        #expect(
            (try? Self.read(["REQUEST_TIMEOUT": text]).calls.requestTimeout) == expected.map { Duration.seconds($0) })
    }

    @Test func `seconds may have decimals`() throws {
        #expect(try Self.read(["REQUEST_TIMEOUT": "2.25"]).calls.requestTimeout == .milliseconds(2250))
        #expect(try Self.read(["REDIS_COMMAND_TIMEOUT_MS": "250"]).redis.commandTimeout == .milliseconds(250))
    }

    @Test(arguments: [
        ("65536", 65536), ("64KiB", 65536), ("1MiB", 1 << 20), ("1mib", 1 << 20), ("1 MiB", nil), ("1MB", nil),
        ("1.5MiB", nil), ("MiB", nil),
        ("9999999999999GiB", nil), ("99999999999999999999", nil),
    ])
    func `bytes may have a unit`(text: String, expected: Int?) throws {
        #expect((try? Self.read(["MAX_BODY_BYTES": text]).http.maxBodyBytes) == expected)
    }

    @Test(
        arguments: [
            (nil, .headerControlled), ("HEADER_CONTROLLED", .headerControlled), ("always", .always), ("Never", .never),
            ("", .headerControlled),
            ("off", nil),
        ] as [(String?, RequestLoggingMode?)])
    func `logging has three modes`(text: String?, mode: RequestLoggingMode?) throws {
        #expect((try? Self.read(["REQUEST_LOGGING_MODE": text ?? ""]).http.requestLogging) == mode)
    }

    @Test(arguments: [("embedded", RequestLogPlace.embedded), ("OFF", .off), ("", .embedded), ("on", nil)])
    func `the request log is kept or not`(text: String, place: RequestLogPlace?) throws {
        #expect((try? Self.read(["REQUEST_LOG": text]).requestLog.place) == place)
    }

    /// `serve` keeps the log, and a `tracestore` to which the rows can come.
    @Test(arguments: [
        (Role.serve, [:], true), (.serve, ["REQUEST_LOG": "off"], false), (.ingress, required, false),
        (.tracestore, [:], false), (.tracestore, required, true),
        (.tracestore, required.merging(["REQUEST_LOG": "off"]) { $1 }, false),
        (.tracestore, ["REDIS_HOST": "redis", "REQUEST_LOG": "off"], false),
    ])
    func `one process keeps the request log`(role: Role, environment: [String: String], keeps: Bool) throws {
        #expect(try Settings.read(role: role, environment: environment).keepsRequestLog == keeps)
    }

    @Test(arguments: [
        (["REQUEST_LOG": "embedded"], "REQUEST_LOG: error: needs REDIS_HOST"),
        (["REDIS_HOST": "redis"], "GATEWAY_KEY: error: must be set for `tracestore` beside REDIS_HOST"),
    ])
    func `a trace store that cannot keep the log says why`(environment: [String: String], message: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Settings.read(role: .tracestore, environment: environment)
        }
        #expect(error.problems.count == 1 && error.problems[0].description.hasPrefix("environment: \(message)"))
    }

    @Test(
        arguments: [
            ("", []), ("environment", ["environment"]), ("environment, team", ["environment", "team"]), ("a,,b", nil),
            ("a,a", nil), (String(repeating: "k", count: 128), [String(repeating: "k", count: 128)]),
            (String(repeating: "k", count: 129), nil),
            ((0..<16).map { "k\($0)" }.joined(separator: ","), (0..<16).map { "k\($0)" }),
            ((0..<17).map { "k\($0)" }.joined(separator: ","), nil),
        ] as [(String, [String]?)])
    func `metadata keys of metrics are a few names`(text: String, keys: [String]?) throws {
        #expect((try? Self.read(["METRICS_METADATA_KEYS": text]).metrics.metadataKeys) == keys)
    }

    @Test(arguments: [
        ("true", true), ("1", true), ("YES", true), ("on", true), ("false", false), ("0", false), ("No", false),
        ("off", false),
    ])
    func `truth has many words`(text: String, expected: Bool) throws {
        #expect(try Self.read(["ALLOW_PRIVATE_BASE_URLS": text]).calls.allowPrivateBaseURLs == expected)
    }

    @Test(arguments: [
        ("INFO", LogLevel.info), ("Debug", .debug), ("WARN", .warning), ("WARNING", .warning), ("FATAL", .critical),
        ("CRITICAL", .critical),
        ("NOTSET", .trace), ("trace", .trace), ("notice", .notice), ("error", .error),
    ])
    func `log levels have pythons names too`(text: String, expected: LogLevel) throws {
        #expect(try Self.read(["LOG_LEVEL": text]).process.logLevel == expected)
    }

    @Test(arguments: [
        ("redis", RedisSettings.Address.host("redis")), ("10.0.0.1", .host("10.0.0.1")), ("::1", .host("::1")),
        ("my_redis-1.svc", .host("my_redis-1.svc")),
        ("unix:/run/redis.sock", .unixSocket(path: "/run/redis.sock")), ("unix:redis.sock", nil), ("redis:6379", nil),
        ("redis://redis", nil),
        ("[::1]", nil), ("a b", nil), ("-a", nil),
        ("unix:/" + String(repeating: "x", count: 106), .unixSocket(path: "/" + String(repeating: "x", count: 106))),
        ("unix:/" + String(repeating: "x", count: 107), nil),
    ])
    func `Redis is a host or a socket`(text: String, expected: RedisSettings.Address?) throws {
        #expect((try? Self.read(["REDIS_HOST": text]).redis.address) == expected)
    }

    @Test(arguments: [
        ("embedded", LangfuseHost.embedded), ("Embedded", .embedded), ("https://us.cloud.langfuse.com/", .cloud),
    ])
    func `traces go to a server or stay here`(text: String, expected: LangfuseHost) throws {
        #expect(try Self.read(["LANGFUSE_HOST": text]).backends.langfuse == expected)
    }

    @Test(arguments: [
        ("LITELLM_URL", "https://user:canary@host"), ("LANGFUSE_HOST", "http://can@ary@host/x"),
        ("REDIS_HOST", "redis://:canary@host:6379"),
    ])
    func `a password in a URL is not shown`(name: String, value: String) throws {
        let problem = try #require(try Self.problems([name: value]).first)
        #expect(problem.contains("://***@host") && !problem.contains("ary"))
    }

    @Test func `long values are shown in part`() throws {
        let problem = try #require(try Self.problems(["PORT": String(repeating: "9", count: 100_000)]).first)
        #expect(problem.contains("`\(String(repeating: "9", count: 100))…`"))
    }

    @Test func `empty values count as none`() throws {
        let empty = Dictionary(uniqueKeysWithValues: Settings.table.map { ($0.name, "") })
        #expect(try Settings.read(role: .serve, environment: empty) == Settings(role: .serve))
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("localhost", true), ("::1", true), ("0.0.0.0", false), ("127.example.org", false),
        ("10.1.2.3", false),
    ])
    func `serve allows loopback only on loopback`(host: String, expected: Bool) throws {
        #expect(try Self.read(["HOST": host], role: .serve).calls.allowLoopbackBaseURLs == expected)
        #expect(
            try Self.read(["HOST": host, "ALLOW_LOOPBACK_BASE_URLS": "true"], role: .serve).calls.allowLoopbackBaseURLs)
        #expect(try !Self.read(["HOST": host], role: .forwarder).calls.allowLoopbackBaseURLs)
    }

    @Test(arguments: [
        (["REDIS_USERNAME": "u"], "environment: REDIS_USERNAME: error: needs REDIS_PASSWORD as well"),
        (
            ["REDIS_TLS": "true", "REDIS_HOST": "unix:/r"],
            "environment: REDIS_TLS: error: must be false when REDIS_HOST is a unix socket"
        ),
        (["REDIS_TLS_CA": "ca.pem"], "environment: REDIS_TLS_CA: error: needs REDIS_TLS=true"),
        (["LITELLM_TRACES": "true"], "environment: LITELLM_TRACES: error: needs LITELLM_URL"),
        (
            ["LITELLM_TRACES": "true", "LITELLM_URL": "http://litellm:4000", "REQUEST_LOGGING_MODE": "never"],
            "environment: REQUEST_LOGGING_MODE: error: cannot be NEVER with LITELLM_TRACES"
        ),
        (["QUEUE_BYTES": "15MiB"], "environment: QUEUE_BYTES: error: must be at least MAX_BODY_BYTES (16MiB)"),
        (["UPLOAD_BYTES": "15MiB"], "environment: UPLOAD_BYTES: error: must be at least MAX_BODY_BYTES (16MiB)"),
        (
            ["ROLLOUT_TTL_SECONDS": "299"],
            "environment: ROLLOUT_TTL_SECONDS: error: must be at least REQUEST_TIMEOUT (300 s)"
        ),
        (["GATEWAY_KEY_FILE": "k"], "environment: GATEWAY_KEY_FILE: error: is set together with GATEWAY_KEY"),
    ])
    func `settings must fit together`(environment: [String: String], message: String) throws {
        let problems = try Self.problems(environment)
        #expect(problems.count == 1 && problems[0].hasPrefix(message))
    }

    /// The store inside `serve` is none for other processes.
    @Test(arguments: [Role.forwarder, .verifier])
    func `only serve has a store of its own`(role: Role) throws {
        let environment = [
            "LANGFUSE_HOST": "embedded", "REDIS_HOST": "redis", "GATEWAY_KEY": String(repeating: "A", count: 43) + "=",
        ]
        let problems = try Self.problems(environment, role: role)
        #expect(
            problems == [
                "environment: LANGFUSE_HOST: error: must be the URL of the trace store: `embedded` is for `serve`, which starts one"
            ])
    }

    @Test func `misspelt names are a warning`() throws {
        var log = ProblemLog()
        let environment = ["REDIS_PROT": "1", "LANGFUSE_HOSTS": "x", "PROT": "1", "SOMETHING_ELSE": "x"]
        _ = Settings.read(over: Settings(role: .serve), environment: environment, &log)
        #expect(
            log.problems.map(\.description) == [
                "environment: LANGFUSE_HOSTS: warning: is not one of the gateway's variables; did you mean `LANGFUSE_HOST`?",
                "environment: REDIS_PROT: warning: is not one of the gateway's variables; did you mean `REDIS_PORT`?",
            ])
    }
}
