package import Common
package import Logging
internal import NIOConcurrencyHelpers
internal import Queue
package import Redis
package import Upstream

/// Answers questions about rollouts: is it complete, and what are its traces.
package final class VerificationRunner: Sendable {
    /// The options for all questions.
    package struct Options: Sendable {
        /// The project whose rollouts go by their bare name in Redis.
        package var keySpace: KeySpace
        /// The lifetime of a rollout's set after the last id was added (`ROLLOUT_TTL_SECONDS`).
        package var rolloutTTL = Duration.seconds(86_400)
        /// `REQUEST_TIMEOUT`.
        package var requestTimeout = Duration.seconds(300)
        /// `VERIFY_RESEND_GRACE`.
        package var resendGrace = Duration.seconds(15)
        /// The lifetime of a span that waits for its export (``SpanOutbox/life(forWaiting:)``).
        package var spanLife = SpanOutbox.life(forWaiting: .seconds(86_400))
        /// `tag` with `LITELLM_TRACES`.
        package var identity = TraceIdentity.traceID
        /// `TRACES_MAX_SCORES`.
        package var scores = 10_000

        package init(keySpace: KeySpace) { self.keySpace = keySpace }
    }

    /// The persistence with which an incomplete rollout is looked at.
    package struct WaitPolicy: Sendable, Equatable {
        /// The time by which there must be a verdict, by the steady clock, in milliseconds.
        package var deadline: Int64
        /// The most rounds; nil: as many as there is time for.
        package var attempts: Int?
        /// The pause between the first two rounds; each further pause is twice as long.
        package var firstPause: Duration

        package init(deadline: Int64, attempts: Int? = nil, firstPause: Duration = .seconds(2)) {
            self.deadline = deadline
            self.attempts = attempts
            self.firstPause = firstPause
        }
    }

    let options: Options
    let reader: RolloutReader
    let verdicts: VerdictStore
    let clock: VerifierClock
    let capacity: VerifierCapacity
    let redis: RedisClient
    let spans: SpanResender
    let shared = SingleFlight()
    let metrics: VerifierMetrics?
    let logger: Logger
    private let sources: @Sendable (String) -> (any TraceSource)?

    /// - Parameter sources: a project's trace store; nil if it has none.
    package init(
        redis: RedisClient, options: Options, sources: @escaping @Sendable (String) -> (any TraceSource)?,
        capacity: VerifierCapacity = VerifierCapacity(), clock: VerifierClock = .system,
        metrics: VerifierMetrics? = nil, logger: Logger
    ) {
        self.capacity = capacity
        self.metrics = metrics
        self.options = options
        self.sources = sources
        self.clock = clock
        self.logger = logger
        self.redis = redis
        reader = RolloutReader(redis: redis, keySpace: options.keySpace, life: options.rolloutTTL)
        verdicts = VerdictStore(redis: redis, keySpace: options.keySpace)
        spans = SpanResender(redis: redis, grace: options.resendGrace, spanLife: options.spanLife)
    }

    /// With Langfuse servers for trace stores.
    package convenience init(
        redis: RedisClient, upstream: any UpstreamClient, options: Options, destinations: TraceDestinations,
        capacity: VerifierCapacity = VerifierCapacity(), clock: VerifierClock = .system,
        metrics: VerifierMetrics? = nil, logger: Logger
    ) {
        let (budget, apis) = (RateBudget(redis: redis, clock: clock), LangfuseAPIs())
        // A source is made anew for each question, since a destination may become known later. What is remembered of a
        // server is kept outside it.
        let limits = LangfuseCallLimits(scores: options.scores)
        let source = { @Sendable (project: String) -> (any TraceSource)? in
            destinations[project].map {
                LangfuseSource(
                    $0, identity: options.identity, upstream: upstream, budget: budget, apis: apis, limits: limits)
            }
        }
        self.init(
            redis: redis, options: options, sources: source, capacity: capacity, clock: clock, metrics: metrics,
            logger: logger)
    }

    /// Finds out whether a rollout is complete. Those who ask for the same at the same time share the work, here and at
    /// other verifiers.
    /// - Parameter progress: told what is known while it is not complete yet.
    /// - Returns: Nil if there is no such rollout.
    /// - Throws: `RedisError`, `CancellationError`; `GatewayError` if the verifier has no room for the question.
    package func verify(
        _ rollout: Rollout, patience: WaitPolicy,
        progress: @escaping @Sendable (Verdict) async -> Void = { _ in }
    ) async throws -> Verdict? {
        let slot = capacity.roundSlot(for: rollout.project)
        defer { slot.leave() }
        return try await verify(rollout, patience: patience, in: slot, progress: progress)
    }

    /// The same in a slot that the caller has, and keeps.
    func verify(
        _ rollout: Rollout, patience: WaitPolicy, in slot: QuestionSlot,
        progress: @escaping @Sendable (Verdict) async -> Void
    ) async throws -> Verdict? {
        let cached = try await verdicts.verdict(on: rollout, now: clock.now())
        if let cached, cached.kind == .complete || patience.attempts == 1 { return cached }
        return try await share(
            PendingVerdict(rollout: rollout, patience: patience, slot: slot, progress: progress))
    }

    func source(of project: String) -> (any TraceSource)? { sources(project) }

    /// The number of listeners to the work on this rollout, for tests.
    func listeners(to rollout: Rollout) -> Int { shared.listeners(to: rollout) }
}

/// Stands for the store of a project that has none.
struct NoTraceSource: TraceSource {
    let project: String

    func page(_ query: StoreQuery, after cursor: TraceCursor?, limit: Int) async throws(TraceSourceError) -> TracePage {
        throw .refused("project \(project) has no langfuse_keys in secrets.yaml, so its traces cannot be looked at")
    }
}
