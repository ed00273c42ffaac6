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
        package var defaultProject: String
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

        package init(defaultProject: String) { self.defaultProject = defaultProject }
    }

    /// The persistence with which an incomplete rollout is looked at.
    package struct WaitPolicy: Sendable, Equatable {
        /// When there must be a verdict, by the steady clock, in milliseconds.
        package var deadline: Int64
        /// The most looks; nil: as many as there is time for.
        package var attempts: Int?
        /// Between the first two looks; the next pauses are twice as long each.
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
    private let redis: RedisClient
    private let spans: SpanResender
    private let sources: @Sendable (String) -> (any TraceSource)?
    private let shared = SingleFlight()
    private let metrics: VerifierMetrics?
    private let logger: Logger

    /// - Parameter sources: a project's trace store; nil if it has none.
    package init(
        redis: RedisClient, options: Options, sources: @escaping @Sendable (String) -> (any TraceSource)?,
        clock: VerifierClock = .system,
        metrics: VerifierMetrics? = nil, logger: Logger
    ) {
        self.metrics = metrics
        self.options = options
        self.sources = sources
        self.clock = clock
        self.logger = logger
        self.redis = redis
        reader = RolloutReader(redis: redis, defaultProject: options.defaultProject, life: options.rolloutTTL)
        verdicts = VerdictStore(redis: redis, defaultProject: options.defaultProject)
        spans = SpanResender(redis: redis, grace: options.resendGrace, spanLife: options.spanLife)
    }

    /// With Langfuse servers for trace stores.
    package convenience init(
        redis: RedisClient, upstream: any UpstreamClient, options: Options, destinations: TraceDestinations,
        clock: VerifierClock = .system,
        metrics: VerifierMetrics? = nil, logger: Logger
    ) {
        let (budget, apis) = (RateBudget(redis: redis, clock: clock), LangfuseAPIs())
        // Made anew for each question, since a place may become known later; what is remembered of a server is not
        // theirs.
        let limits = LangfuseCallLimits(scores: options.scores)
        let source = { @Sendable (project: String) -> (any TraceSource)? in
            destinations[project].map {
                LangfuseSource(
                    $0, identity: options.identity, upstream: upstream, budget: budget, apis: apis, limits: limits)
            }
        }
        self.init(redis: redis, options: options, sources: source, clock: clock, metrics: metrics, logger: logger)
    }

    /// Finds out whether a rollout is complete. Those who ask for the same at the same time share the work, here and at
    /// other verifiers.
    /// - Parameter progress: told what is known while it is not complete yet.
    /// - Returns: Nil if there is no such rollout.
    /// - Throws: `RedisError`, `CancellationError`.
    package func verify(
        _ rollout: String, project: String, patience: WaitPolicy,
        progress: @escaping @Sendable (Verdict) async -> Void = { _ in }
    ) async throws -> Verdict? {
        let cached = try await verdicts.verdict(rollout, project: project, now: clock.now())
        if let cached, cached.kind == .complete || patience.attempts == 1 { return cached }
        let question = "\(project)/\(rollout)"
        while true {
            switch shared.join(question) {
            case .work: return try await work(rollout, project, patience, question, progress)
            case .listen(let events):
                if let verdict = try await listen(to: events, rollout, project, patience, progress) {
                    return verdict.verdict
                }
            }
            try Task.checkCancellation()
        }
    }

    func source(of project: String) -> (any TraceSource)? { sources(project) }

    /// The number of listeners to the work on this rollout, for tests.
    func listeners(to rollout: String, project: String) -> Int { shared.listeners(to: "\(project)/\(rollout)") }

    private func work(
        _ rollout: String, _ project: String, _ patience: WaitPolicy, _ question: String,
        _ progress: @escaping @Sendable (Verdict) async -> Void
    ) async throws -> Verdict? {
        var ending = SingleFlight.Event.abandoned
        defer { shared.end(question, ending) }
        let tell = { @Sendable [shared] (news: WorkLease.State) in
            shared.tell(news, of: question)
            await progress(news.verdict)
        }
        let lease = WorkLease(on: rollout, project: project, redis: redis)
        if let heard = try await follow(lease, rollout, project, patience, tell) {
            ending = .ended(heard)
            return heard
        }
        let rules = Reconciler.Rules(
            identity: options.identity, requestTimeout: options.requestTimeout, resendGrace: options.resendGrace,
            firstPause: patience.firstPause,
            attempts: patience.attempts, deadline: patience.deadline)
        let source = sources(project) ?? NoTraceSource(project: project)
        let run = ReconcilerRun(
            source: source, reader: reader, spans: spans, verdicts: verdicts, clock: clock, logger: logger)
        let verdict = try await lease.hold { note in
            try await run.verdict(on: rollout, project: project, rules: rules) { news in
                await note(news)
                await tell(news)
            }
        }
        ending = .ended(verdict)
        if let verdict { metrics?.found(verdict) }
        return verdict
    }

    /// Listens to another verifier as long as one is at the same work.
    /// - Returns: what is enough for this one; nil if the work is its own now.
    private func follow(
        _ lease: WorkLease, _ rollout: String, _ project: String, _ patience: WaitPolicy,
        _ tell: (WorkLease.State) async -> Void
    ) async throws -> Verdict? {
        var heard: WorkLease.State?
        while try await !lease.take() {
            if let verdict = try await verdicts.verdict(rollout, project: project, now: clock.now()),
                verdict.kind == .complete || patience.attempts == 1
            {
                return verdict
            }
            if let news = try await lease.state(), news != heard {
                heard = news
                await tell(news)
                if news.endsRound, patience.attempts == 1 { return news.verdict }
            }
            let left = Duration.milliseconds(patience.deadline - clock.steady())
            guard left > .zero else { return heard?.verdict ?? stillChecking(rollout, project) }
            try await clock.sleep(min(left, WorkLease.look))
        }
        return nil
    }

    /// The verdict that a listener heard, if it is enough for it.
    private struct Heard { var verdict: Verdict? }

    /// Listens to who works on the question.
    /// - Returns: Nil if the question has to be asked again.
    private func listen(
        to events: AsyncStream<SingleFlight.Event>, _ rollout: String, _ project: String, _ patience: WaitPolicy,
        _ progress: @escaping @Sendable (Verdict) async -> Void
    ) async throws -> Heard? {
        let latest = NIOLockedValueBox<Verdict?>(nil)
        let event = try await withThrowingTaskGroup(of: SingleFlight.Event?.self) { group in
            group.addTask { [clock] in
                // The work may take longer than this one wants to wait.
                try await clock.sleep(.milliseconds(max(patience.deadline - clock.steady(), 0)))
                return nil
            }
            group.addTask {
                var last = SingleFlight.Event.abandoned
                for await event in events {
                    last = event
                    guard case .progress(let news) = event else { continue }
                    latest.withLockedValue { $0 = news.verdict }
                    await progress(news.verdict)
                    if news.endsRound, patience.attempts == 1 { break }
                }
                return last
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        let isLate = clock.steady() >= patience.deadline
        switch event {
        case .ended(let verdict):
            let isFinal = verdict == nil || verdict?.kind == .complete || patience.attempts == 1 || isLate
            return isFinal ? Heard(verdict: verdict) : nil
        case .progress(let news) where news.endsRound && patience.attempts == 1: return Heard(verdict: news.verdict)
        case .progress, .abandoned, nil:
            guard isLate else { return nil }
            return Heard(verdict: latest.withLockedValue { $0 } ?? stillChecking(rollout, project))
        }
    }

    private func stillChecking(_ rollout: String, _ project: String) -> Verdict {
        Verdict(
            rollout: rollout, project: project, kind: .unknown, reason: "the rollout is still being checked; ask again",
            expected: 0, traced: 0,
            inFlight: 0, failed: 0, missing: [], checkedAt: clock.now())
    }
}

/// Stands for the store of a project that has none.
struct NoTraceSource: TraceSource {
    let project: String

    func page(_ query: TraceQuery, after cursor: TraceCursor?, limit: Int) async throws(TraceSourceError) -> TracePage {
        throw .refused("project \(project) has no langfuse_keys in secrets.yaml, so its traces cannot be looked at")
    }
}
