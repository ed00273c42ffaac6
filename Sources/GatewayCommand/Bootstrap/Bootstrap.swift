internal import ArgumentParser
internal import Common
internal import Forwarder
internal import FoundationEssentials
internal import Glibc
internal import HTTPServing
internal import Ingress
internal import Logging
internal import Policies
internal import Queue
internal import Redis
internal import ServiceLifecycle
internal import Telemetry
internal import UnixSignals
internal import Verifier

/// The steps of all commands: read the configuration, report its faults, and run services until a signal stops them.
struct Bootstrap {
    /// EX_CONFIG of sysexits.h: something was configured wrong.
    static let badConfiguration = ExitCode(78)

    let configuration: Configuration
    let environment: [String: String]
    let secretsFile: SecretsFile
    let logger: Logger

    let auth: any AuthProvider
    let policies: Policies
    /// The files of the rules as they were before they were read.
    let policyStamps: [FileStamp?]?
    /// The warning for the operator about settings that the limit of open files lowers; nil: none is lowered.
    let descriptorWarning: String?
    /// The counters and measurements of this process.
    let registry = MetricsRegistry()

    /// Reads a role's whole configuration, and reports all faults in it at once.
    init(role: Role) throws {
        let environment = ProcessInfo.processInfo.environment
        var log = ProblemLog()
        let configuration = log.attempt { () throws(ConfigurationError) in
            try Configuration.load(role: role, environment: environment)
        }
        let secretsFile = configuration.map { SecretsFile($0, environment: environment) }
        let auth = log.attempt { () throws(ConfigurationError) in
            try Self.auth(configuration, secretsFile: secretsFile, environment: environment)
        }
        let policyStamps = (configuration?.settings.configPath).map(ConfigurationFile.stamps)
        let policies = log.attempt { () throws(ConfigurationError) in
            try Self.policies(configuration, role: role, environment: environment)
        }
        if let configuration, role.callsProviders {
            log.attempt { () throws(ConfigurationError) in
                try ForwarderService.check(configuration: configuration, environment: environment)
            }
        }
        if let redis = configuration?.settings.redis {
            log.attempt { () throws(ConfigurationError) in try Self.checkTLS(to: redis) }
        }
        for warning in configuration?.warnings ?? [] { log.note(warning) }
        for problem in log.problems { Self.complain("\(problem)") }
        guard var configuration, let secretsFile, let auth, let policies, !log.hasErrors else {
            throw Self.badConfiguration
        }
        descriptorWarning = try Self.fit(&configuration.settings)
        self.environment = environment
        self.configuration = configuration
        self.secretsFile = secretsFile
        self.auth = auth
        self.policies = policies
        self.policyStamps = policyStamps
        logger = Self.logger(configuration.settings)
        if configuration.settings.isTraceStoreChosenBySecrets(environment) { keepTraceStore() }
    }

    /// Whether `serve` keeps the traces itself is decided at the start. Secrets that would decide it otherwise are not
    /// taken over.
    private func keepTraceStore() {
        let isEmbedded = configuration.settings.backends.langfuse == .embedded
        let path = configuration.settings.secrets.path
        secretsFile.onChange { secrets throws(ConfigurationError) in
            guard secrets.projects.values.contains(where: { $0.langfuse != nil }) != isEmbedded else {
                throw ConfigurationError(
                    at: .file(path),
                    "langfuse_keys decide whether `serve` keeps the traces itself, and cannot come or go while it runs: restart it, or set LANGFUSE_HOST"
                )
            }
            return {}
        }
    }

    /// The authentication. The clients' keys are read even if other configuration is bad: they may be bad too.
    private static func auth(
        _ configuration: Configuration?, secretsFile: SecretsFile?, environment: [String: String]
    ) throws(ConfigurationError) -> any AuthProvider {
        if let auth = BuildExtensions.current.auth { return auth }
        let named = configuration.map(\.settings.secrets.apiKeysPath) ?? environment["API_KEYS_PATH"]
        guard let path = named, !path.isEmpty else { return .none }
        return try APIKeyAuth(file: path) { secretsFile.map { Set($0.current.projects.keys) } }
    }

    private static func checkTLS(to redis: RedisSettings) throws(ConfigurationError) {
        guard redis.tls, let endpoint = RedisEndpoint(redis) else { return }
        func failure(_ message: String) -> ConfigurationError {
            ConfigurationError(at: .environment("REDIS_TLS_CA"), message)
        }
        if let path = redis.certificateAuthorityPath {
            do throws(ConfigurationError) { _ = try ConfigurationFile(reading: path) } catch {
                throw failure("`\(path)` \(error.problems.map(\.message).joined(separator: "; "))")
            }
        }
        do throws(RedisError) { try endpoint.checkTLS() } catch { throw failure(error.message) }
    }

    /// The endpoint of the configured Redis.
    func redis() throws -> RedisEndpoint {
        guard let endpoint = RedisEndpoint(configuration.settings.redis) else {
            throw Self.failure("environment: REDIS_HOST: must be given")
        }
        return endpoint
    }

    /// The key that all processes of the gateway share.
    func key() throws -> GatewayKey {
        guard let key = configuration.settings.secrets.gatewayKey else {
            throw Self.failure("environment: GATEWAY_KEY: must be given; make one with `openssl rand -base64 32`")
        }
        return key
    }

    func ingress(
        redis: RedisEndpoint, envelope: Envelope, watch: RedisWatch? = nil, local: LocalWorker? = nil,
        lendsKeys: Bool? = nil,
        storeTrouble: @escaping @Sendable () -> String? = { nil },
        onListening: (@Sendable (_ port: Int) async -> Void)? = nil
    ) throws -> IngressService {
        let settings = configuration.settings
        let announce = { @Sendable (port: Int) async in
            self.announce("metadata-gateway ingress listens on http://\(settings.http.host.bracketed):\(port)")
        }
        return IngressService(
            configuration: configuration, rules: rules, secretsFile: secretsFile, auth: auth,
            extensions: BuildExtensions.current,
            redis: redis,
            envelope: envelope, watch: watch, local: local, lendsKeys: lendsKeys, storeTrouble: storeTrouble,
            warning: descriptorWarning, registry: registry, logger: logger,
            onListening: onListening ?? announce)
    }

    /// The destinations of traces.
    /// - Parameter key: the gateway's own.
    func destinations(key: GatewayKey) -> TraceDestinations {
        let destinations = TraceDestinations(configuration) { project in LangfuseKeys(embedded: project, key: key) }
        secretsFile.onChange { secrets in { destinations.replaceKeys(with: secrets) } }
        return destinations
    }

    func forwarder(
        redis: RedisEndpoint, envelope: Envelope, destinations: TraceDestinations, watch: RedisWatch? = nil
    ) throws -> ForwarderService {
        try Self.reporting { () throws(ConfigurationError) in
            try ForwarderService(
                configuration: configuration, secretsFile: secretsFile, environment: environment, redis: redis,
                envelope: envelope,
                destinations: destinations, watch: watch, registry: registry, logger: logger)
        }
    }

    func verifier(
        redis: RedisEndpoint, envelope: Envelope, destinations: TraceDestinations, watch: RedisWatch? = nil
    ) throws -> VerifierService {
        try Self.reporting { () throws(ConfigurationError) in
            try VerifierService(
                configuration: configuration, secretsFile: secretsFile, redis: redis, envelope: envelope,
                destinations: destinations, watch: watch, registry: registry, logger: logger)
        }
    }

    /// Runs services until SIGTERM, SIGINT or the end of the terminal. The first of them asks the services to stop in
    /// order. The ingress and then the forwarder may each finish what runs within `DRAIN_SECONDS`. A little later, all
    /// that is left is cancelled.
    /// - Parameter metrics: what is shown on `METRICS_PORT`; nil: what the process counts and measures itself.
    func run(_ services: [any Service], metrics: (@Sendable () async -> Exposition)? = nil) async throws {
        let hangUps = HangUpWatch(reloads: configuration.settings.role.takesRequests && policyStamps != nil)
        var group = ServiceGroupConfiguration(
            services: ([SecretsUpkeep(file: secretsFile, logger: logger)] + metricsServer(metrics) + services).map {
                .init(
                    service: $0, successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.services.append(
            .init(
                service: hangUps, successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup))
        group.maximumGracefulShutdownDuration = configuration.settings.process.drain * 2 + .seconds(10)
        if let descriptorWarning { logger.warning("\(descriptorWarning)") }
        do {
            try await withTaskExecutorPreference(EventLoopsExecutor.shared) {
                try await ServiceGroup(configuration: group).run()
            }
        } catch let error as OtherGatewayKey {
            throw Self.failure("environment: GATEWAY_KEY: \(error)")
        } catch let error as ListeningServer.CannotListen {
            throw Self.failure("environment: \(error.settings.host), \(error.settings.port): \(error)")
        }
    }
}
