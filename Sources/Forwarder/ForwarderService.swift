package import Common
internal import JSON
package import Logging
internal import NIOConcurrencyHelpers
package import Queue
package import Redis
package import ServiceLifecycle
package import Telemetry
internal import Upstream

/// The parts of a forwarder, in the order in which they start. They stop in the reverse order: first no more jobs are
/// taken and the running ones end, then the connections close.
package struct ForwarderService {
    package let services: [any Service]
    /// Whether calls are made with keys of the operator's, as of the start.
    package let lendsKeys: Bool
    /// Hands jobs of this process to this forwarder.
    package let local: LocalWorker

    /// - Parameters:
    ///   - secretsFile: says when the secrets change.
    ///   - environment: the process's variables, where providers' keys may be.
    ///   - envelope: seals and opens what travels through Redis.
    ///   - destinations: where traces go.
    ///   - watch: looks after Redis, and is run elsewhere; nil: the forwarder has one of its own.
    ///   - registry: gets the forwarder's metrics.
    /// - Throws: `ConfigurationError` with all that is wrong with the providers.
    package init(
        configuration: Configuration, secretsFile: SecretsFile, environment: [String: String],
        redis endpoint: RedisEndpoint, envelope: Envelope,
        destinations: TraceDestinations, watch shared: RedisWatch? = nil,
        registry: MetricsRegistry = MetricsRegistry(), logger: Logger
    ) throws(ConfigurationError) {
        let metrics = ForwarderMetrics(registry, configuration.settings)
        let settings = configuration.settings
        let watch = shared ?? RedisWatch(endpoint, envelope: envelope, settings: settings, logger: logger)
        let directory = NIOLockedValueBox(
            try ProviderDirectory(
                table: .embedded(), settings: settings, secrets: configuration.secrets, environment: environment))
        secretsFile.onChange { secrets throws(ConfigurationError) in
            let new = try ProviderDirectory(
                table: .embedded(), settings: settings, secrets: secrets, environment: environment)
            return { directory.withLockedValue { $0 = new } }
        }
        let network: CurlUpstream
        do { network = try CurlUpstream(.init(connectionsFor: settings.queue.forwarderConcurrency)) } catch {
            throw ConfigurationError(at: .environment("FORWARDER_CONCURRENCY"), error.message)
        }
        let marked = MarkedUpstream(network, mark: LoopMark(envelope))
        var worker = QueueWorker(
            .completions, redis: endpoint,
            limits: .init(concurrency: settings.queue.forwarderConcurrency, settings: settings), envelope: envelope,
            keySpace: configuration.secrets.keySpace, logger: logger)
        worker.stream.lendsKeys = { directory.withLockedValue { $0.lendsKeys } }
        let spans = RecentSpans()
        var sender = worker.sender
        sender.keepSpan = spans.keep
        sender.logsRequests = settings.requestLog.place == .embedded
        let runner = JobRunner(
            directory: { directory.withLockedValue { $0 } }, upstream: Upstreams(network: marked),
            models: ModelListCache(upstream: marked, maximumAge: settings.backends.modelListAge, logger: logger),
            refused: RefusedMembers(settings), sender: sender, envelope: envelope,
            check: JobCheck(
                stream: worker.stream, maxDeliveries: settings.queue.maxDeliveries, errors: .calls, logger: logger),
            limits: CallLimits(settings), isTraced: destinations.isTraced,
            spanTextBytes: settings.traces.spanTextBytes, writesCompactSpans: { destinations.store != nil },
            logsRequests: sender.logsRequests, metrics: metrics, logger: logger)
        let outboxReader = RedisClient(endpoint, logger: logger)
        let outbox = SpanOutbox(
            consumer: ProcessName.random(), commands: worker.commands, reader: outboxReader,
            maximumBytes: settings.traces.outboxBytes)
        let records = RecordOutbox(
            consumer: ProcessName.random(), commands: worker.commands, reader: outboxReader,
            maximumBytes: settings.requestLog.bytes)
        let exporter = Exporter(
            outbox: outbox, records: settings.requestLog.place == .embedded ? records : nil, destinations: destinations,
            sender: SpanSender(
                outbox: outbox, destinations: destinations, upstream: marked, envelope: envelope, recent: spans,
                timeout: settings.traces.exportTimeout, metrics: metrics.exports,
                logger: logger),
            interval: settings.traces.exportInterval, isOpen: { watch.hasRightKey }, metrics: metrics.exports,
            logger: logger)
        let own: [any Service] = shared == nil ? [watch] : []
        if shared == nil {
            worker.audit?.follow(secretsFile)
            worker.audit?.follow(watch)
        }
        let eviction = RedisEvictionWatch(redis: worker.commands, logger: logger)
        let between: [any Service] = [eviction, CurlService(upstream: network), outboxReader, exporter]
        let work = worker.services(between: between, watch: watch) { runner.start($0, control: $1, done: $2) }
        services = own + work
        local = worker.local
        lendsKeys = directory.withLockedValue { $0.lendsKeys }
    }
}

extension ForwarderService {
    /// Reads all that a forwarder is told, and starts nothing.
    /// - Throws: `ConfigurationError` with all that is wrong with the providers.
    package static func check(
        configuration: Configuration, environment: [String: String],
        targets: [(model: String, location: ConfigurationProblem.Location)] = []
    ) throws(ConfigurationError) {
        let directory = try ProviderDirectory(
            table: .embedded(), settings: configuration.settings, secrets: configuration.secrets,
            environment: environment)
        var log = ProblemLog()
        for (model, location) in targets {
            let job = Job(
                insertionID: InsertionIDGenerator().next(), project: "", method: "POST", path: Provider.chatCompletions,
                model: model, deadline: .past, responseKey: "",
                body: Array(#"{"model":"#.utf8) + JSONText.quoted(model) + Array("}".utf8))
            do throws(GatewayError) { _ = try directory.resolve(job, isTraced: false) } catch {
                log.error(at: location, "calls cannot go to `\(model)`: \(error.message)")
            }
        }
        try log.check()
    }
}
