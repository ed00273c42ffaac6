package import Common
internal import Dashboard
internal import HTTPServing
internal import Hummingbird
package import Logging
internal import Policies
package import Queue
package import Redis
package import ServiceLifecycle
package import Telemetry

/// The ingress, put together: its services, in the order in which they start. They stop in the reverse order: first no
/// more requests are taken and those in flight are answered, then the connections to Redis go.
package struct IngressService {
    package private(set) var services: [any Service]
    /// The process's metrics and what waits in Redis, as `/metrics` shows them.
    package let metrics: @Sendable () async -> Exposition

    /// - Parameters:
    ///   - rules: the operator's.
    ///   - secretsFile: says when the secrets change.
    ///   - auth: who may enter.
    ///   - envelope: seals and opens what travels through Redis.
    ///   - watch: looks after Redis, and is run elsewhere; nil: the ingress has one of its own.
    ///   - local: the forwarder in this process; nil: it has none.
    ///   - lendsKeys: whether calls are made with the operator's keys; nil: forwarders in other processes know.
    ///   - storeTrouble: tells of trouble of the trace store in this process, for `/ready`.
    ///   - warning: what `/ready` says of the process's own limits; nil: nothing.
    ///   - registry: gets the ingress's metrics.
    ///   - onListening: is told the port once connections are accepted.
    package init(
        configuration: Configuration, rules: RulesFile = RulesFile(.none), secretsFile: SecretsFile,
        auth: any AuthProvider, extensions: Extensions,
        redis endpoint: RedisEndpoint, envelope: Envelope, watch shared: RedisWatch? = nil, local: LocalWorker? = nil,
        lendsKeys: Bool? = nil, storeTrouble: @escaping @Sendable () -> String? = { nil }, warning: String? = nil,
        registry: MetricsRegistry = MetricsRegistry(), logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        let metrics = IngressMetrics(registry, longest: configuration.settings.calls.requestTimeout)
        let (settings, secrets) = (configuration.settings, configuration.secrets)
        let watch = shared ?? RedisWatch(endpoint, envelope: envelope, settings: settings, logger: logger)
        let projects = KnownProjects(secrets.projects.keys)
        secretsFile.onChange { secrets in { projects.replace(with: secrets.projects.keys) } }
        let name = ProcessName.random()
        let key = Keys.responses(ingress: name)
        let (commands, reader) = (RedisClient(endpoint, logger: logger), RedisClient(endpoint, logger: logger))
        let (pending, connections) = (PendingRequests(), Connections(settings))
        let signals = SignalPublisher(signals: JobSignals(redis: commands), local: local, logger: logger)
        let tailer = ResponseTailer(
            wakeUp: Keys.wakeUp(ingress: name), redis: RedisClient(endpoint, logger: logger), commands: commands,
            window: settings.http.maxBufferedBytes, logger: logger)
        let identity = ResponseIdentity(generator: InsertionIDGenerator())
        let router = Router(context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
        extensions.routes(router)
        let (refusals, audit, logs) = Self.logs(settings, redis: commands, envelope: envelope, logger: logger)
        audit?.follow(rules: rules, keys: auth as? APIKeyAuth, secrets: secretsFile, key: watch)
        let kept = KeptResponses(records: JobRecords(redis: commands), envelope: envelope)
        func calls(through queue: WorkQueue) -> JobDispatcher {
            JobDispatcher(
                admission: JobAdmission(
                    queue, redis: commands, envelope: envelope, limits: .init(settings),
                    keySpace: secrets.keySpace),
                pending: pending, tailer: tailer, kept: kept, signals: signals,
                local: queue == .completions ? local : nil, envelope: envelope, watch: watch,
                rateAudit: RateAudit(audit: audit, logger: logger),
                refusals: queue == .completions ? refusals : nil)
        }
        let completions = calls(through: .completions)
        let jobs = JobBuilder(
            settings: settings, bodies: BodyReader(settings.http), rules: rules, hooks: extensions.chatHooks,
            responseKey: key, envelope: envelope, audit: audit, logger: logger)
        let mark = LoopMark(envelope)
        let hosts = AllowedHosts(
            settings.http.allowedHosts, listeningOn: settings.http.host, asksForKeys: auth.consumesBearer)
        let authenticator = Authenticator(
            settings, auth: auth, projects: projects, defaultProject: secrets.defaultProject, audit: audit)
        let completionController = CompletionController(
            identity: identity, mark: mark, hosts: hosts, authenticator: authenticator, jobs: jobs, calls: completions,
            connections: connections, metrics: metrics, logger: logger)
        let access = OpenAccess(host: settings.http.host, auth: auth)
        access?.warn(lendsKeys: lendsKeys, logger)
        let pages = StatusPages(
            redis: commands, watch: watch, pending: pending, tailer: tailer, connections: connections,
            uploads: jobs.bodies.uploads, warnsOfRedis: settings.redis.address != nil, limits: .init(settings),
            registry: registry, storeTrouble: storeTrouble, warning: warning, access: access)
        self.metrics = { await pages.metrics.exposition() }
        let controllers = DashboardQuestions.Controllers(
            configuration, redis: commands, responseKey: key, envelope: envelope, watch: watch, identity: identity,
            pages: pages, hooks: extensions.tracesHooks, jobs: jobs, projects: projects, audit: audit,
            asksForKeys: auth.consumesBearer, calls: calls)
        let operators = Operators(auth, settings)
        let jobController = JobController(
            calls: completions, kept: kept, tailer: tailer, signals: signals, defaultProject: secrets.defaultProject)
        let responder = GatewayResponder(
            identity: identity, mark: mark, hosts: hosts, authenticator: authenticator,
            routes: .init(
                controllers, jobs: jobController, authenticator: authenticator, operators: operators,
                connections: connections),
            customRoutes: router.buildResponder(), jobs: jobs, calls: completions, background: jobController,
            dashboard: DashboardController(
                dashboard: Dashboard(), access: .init(auth, settings), operators: operators,
                authenticator: authenticator, controllers: controllers, envelope: envelope,
                streams: StreamSlots(settings.http.dashboardStreams), now: { .now }),
            connections: connections, metrics: metrics)
        let server = Self.server(
            responder, controller: completionController, settings: settings, registry: registry, logger: logger,
            onListening: onListening)
        let answering: [any Service] = [
            signals, tailer, ResponseReader(key: key, redis: reader, pending: pending, logger: logger),
            DeadlineWatch(pending: pending, signals: signals),
            ConnectionSweep(connections: connections, logger: logger),
        ]
        let draining = DrainingServer(
            server: server, pending: pending, tailer: tailer, signals: signals, drain: settings.process.drain)
        // In the order in which they start.
        services = shared == nil ? [watch, commands] : [commands]
        if settings.redis.address != nil { services += Self.watches(of: commands, logger) }
        services += logs + answering + Self.upkeep(of: auth, rules, redis: commands, logger)
        services.append(draining)
    }

    /// The logs of refused calls and of audit events; nil where there is no request log.
    private static func logs(
        _ settings: Settings, redis: RedisClient, envelope: Envelope, logger: Logger
    ) -> (refusals: RecordLog?, audit: AuditLog?, services: [any Service]) {
        guard settings.requestLog.place == .embedded else { return (nil, nil, []) }
        let refusals = RecordLog(redis: redis, envelope: envelope, logger: logger)
        let audit = AuditLog(role: settings.role, redis: redis, envelope: envelope, logger: logger)
        return (refusals, audit, [refusals, audit.records])
    }

    /// The services that read keys and rules again when they change.
    private static func upkeep(
        of auth: any AuthProvider, _ rules: RulesFile, redis: RedisClient, _ logger: Logger
    ) -> [any Service] {
        [
            AuthUpkeep(auth: auth, logger: logger), RulesUpkeep(file: rules, logger: logger),
            RulesAnnouncer(file: rules, fleet: RulesFleet(redis: redis), logger: logger),
        ]
    }

    /// The services that look after a Redis that is not the process's own.
    private static func watches(of redis: RedisClient, _ logger: Logger) -> [any Service] {
        [RedisVersionWatch(redis: redis, logger: logger), RedisEvictionWatch(redis: redis, logger: logger)]
    }

    private static func server(
        _ responder: GatewayResponder, controller: CompletionController, settings: Settings,
        registry: MetricsRegistry, logger: Logger, onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) -> ListeningServer {
        let gate = AcceptGate(.ingress, limit: settings.http.maxConnections, registry: registry, logger: logger)
        let application = Application(
            responder: responder,
            server: .serving(
                .init(
                    additionalChannelHandlers: [
                        ConnectionHandler(connections: controller.connections, identity: controller.identity),
                        CrossOriginHandler(controller.authenticator.origins),
                    ],
                    idleTimeout: .milliseconds(settings.http.clientIdleTimeout.milliseconds),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: settings.http.maxHeaderBytes,
                        maxHeaderListSize: settings.http.maxHeaderBytes,
                        maxHeaderFieldCount: settings.http.maxHeaders)),
                lastHandler: { CompletionChannelHandler(controller: controller) }),
            configuration: .init(
                address: .hostname(settings.http.host, port: settings.http.port), backlog: 4096,
                availableConnectionsDelegate: gate),
            onServerRunning: { channel in
                await gate.attach(to: channel)
                await onListening(channel.localAddress?.port ?? settings.http.port)
            },
            logger: logger)
        return ListeningServer(
            application, host: settings.http.host, port: settings.http.port, settings: .init(host: "HOST", port: "PORT")
        )
    }
}

extension JobAdmission.Limits {
    fileprivate init(_ settings: Settings) {
        self.init(
            entries: settings.queue.limit, bytes: settings.queue.bytes, rolloutTTL: settings.queue.rolloutTTL,
            spanBytes: settings.traces.outboxBytes, keptBytes: settings.queue.keptBytes)
    }
}

extension GatewayRoutes {
    fileprivate init(
        _ controllers: DashboardQuestions.Controllers, jobs: JobController, authenticator: Authenticator,
        operators: Operators, connections: Connections
    ) {
        self.init(
            authenticator: authenticator, operators: operators, connections: connections, pages: controllers.pages,
            rollouts: controllers.verification, logs: controllers.logs, queries: controllers.queries,
            rules: controllers.rules, queue: controllers.queue, jobs: jobs)
    }
}

extension Authenticator {
    fileprivate init(
        _ settings: Settings, auth: any AuthProvider, projects: KnownProjects, defaultProject: String,
        audit: AuditLog?
    ) {
        self.init(
            auth: auth, projects: projects, defaultProject: defaultProject,
            refusesForeignOrigins: !auth.consumesBearer && HostName.isLoopback(settings.http.host),
            origins: CrossOrigins(allowed: settings.http.allowedOrigins, includesLoopback: !auth.consumesBearer),
            audit: audit)
    }
}
