package import Common
package import Logging
internal import Queue
package import Redis
package import ServiceLifecycle
package import Telemetry
internal import Upstream

/// The verifier, put together: its services, in the order in which they start.
package struct VerifierService {
    package let services: [any Service]

    /// The longest that a client waits for the answer to a question. The ingress adds 5 s to the `wait` that the client
    /// asks for; the rest is to spare.
    private static let longestQuestion = Duration.seconds(Verdict.longestWait + 20)

    /// - Parameters:
    ///   - secretsFile: its readings are audited, unless the watch is run elsewhere; nil: they are not.
    ///   - envelope: seals and opens what travels through Redis.
    ///   - destinations: where traces are.
    ///   - watch: looks after Redis, and is run elsewhere; nil: the verifier has one of its own.
    ///   - registry: gets the verifier's metrics.
    /// - Throws: `ConfigurationError` if the process has no room for connections.
    package init(
        configuration: Configuration, secretsFile: SecretsFile? = nil, redis endpoint: RedisEndpoint,
        envelope: Envelope, destinations: TraceDestinations,
        watch shared: RedisWatch? = nil, registry: MetricsRegistry = MetricsRegistry(), logger: Logger
    ) throws(ConfigurationError) {
        let settings = configuration.settings
        let watch = shared ?? RedisWatch(endpoint, envelope: envelope, settings: settings, logger: logger)
        let metrics = VerifierMetrics(registry)
        let network: CurlUpstream
        do { network = try CurlUpstream(.init(connectionsFor: settings.traces.verifierConcurrency)) } catch {
            throw ConfigurationError(at: .environment("VERIFIER_CONCURRENCY"), error.message)
        }
        let capacity = VerifierCapacity(
            concurrency: settings.traces.verifierConcurrency, waiters: settings.traces.verifierWaiters,
            changed: metrics.changed, refused: metrics.foundNoPlace)
        var limits = QueueWorker.Limits(concurrency: capacity.mostQuestions, settings: settings)
        // A question has a time of its own, independent of a completion's.
        limits.longestWait = max(limits.longestWait, Self.longestQuestion)
        let worker = QueueWorker(
            .verifications, redis: endpoint, limits: limits, envelope: envelope,
            keySpace: configuration.secrets.keySpace, logger: logger)
        let runner = VerificationRunner(
            redis: worker.commands,
            upstream: MeteredUpstream(upstream: MarkedUpstream(network, mark: LoopMark(envelope)), metrics: metrics),
            options: .init(configuration),
            destinations: destinations, capacity: capacity, metrics: metrics, logger: logger)
        let work = QuestionWork(
            of: worker, envelope: envelope, maxDeliveries: settings.queue.maxDeliveries, failure: .verifierFailed,
            logger: logger, ended: metrics.ended
        ) { job, age, sink in
            try await runner.answer(Question(job, age: age, now: runner.clock.steady()), to: sink)
        }
        let own: [any Service] = shared == nil ? [watch] : []
        // Elsewhere both have a follower already.
        if shared == nil {
            if let secretsFile { worker.audit?.follow(secretsFile) }
            worker.audit?.follow(watch)
        }
        let between: [any Service] = [
            RedisEvictionWatch(redis: worker.commands, logger: logger), CurlService(upstream: network),
            CapacityReport(capacity: capacity, redis: worker.commands, logger: logger),
        ]
        services = own + worker.services(between: between, watch: watch) { await work.run($0, control: $1) }
    }
}

extension GatewayError {
    fileprivate static let verifierFailed = GatewayError.internalError(
        "The verifier failed. Its log has the cause under this answer's x-insertion-id.", shouldRetry: true)
}

extension VerificationRunner.Options {
    init(_ configuration: Configuration) {
        let settings = configuration.settings
        self.init(keySpace: configuration.secrets.keySpace)
        rolloutTTL = settings.queue.rolloutTTL
        requestTimeout = settings.calls.requestTimeout
        resendGrace = settings.traces.resendGrace
        spanLife = SpanOutbox.life(forWaiting: settings.traces.outboxMaxAge)
        identity = settings.backends.litellmTraces ? .tag : .traceID
        scores = settings.traces.maxScores
    }
}
