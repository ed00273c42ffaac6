internal import Common
internal import Logging
internal import Redis

/// Carries out what a `Reconciler` decides.
struct ReconcilerRun: Sendable {
    let source: any TraceSource
    let reader: RolloutReader
    let spans: SpanResender
    let verdicts: VerdictStore
    var clock: VerifierClock
    /// The question's part of the verifier's capacity.
    let slot: QuestionSlot
    /// Ends a rest early.
    let wake: WakeSignal
    let logger: Logger

    /// Goes on until there is a verdict, and writes it down.
    /// - Parameters:
    ///   - rules: without their deadline.
    ///   - deadline: by the steady clock, in milliseconds.
    ///   - progress: told what is known after each answer of the trace store, and before each wait.
    /// - Returns: Nil if there is no such rollout.
    /// - Throws: `RedisError`, `CancellationError`; `GatewayError` if the verifier has no room for the question.
    func verdict(
        on rollout: Rollout, rules: Reconciler.Rules, by deadline: Int64,
        progress: @Sendable (WorkLease.State) async -> Void
    ) async throws -> Verdict? {
        let mark = VerdictStore.Mark()
        var (run, rules) = (self, rules)
        let (runClock, behind) = clock.started()
        run.clock = runClock
        rules.deadline = Timestamp(clamping: deadline) + behind
        do {
            return try await run.verdict(Reconciler(rollout: rollout, rules: rules), mark: mark, progress: progress)
        } catch {
            try? await verdicts.forget(mark, of: rollout)
            throw error
        }
    }

    private func verdict(
        _ reconciler: Reconciler, mark: VerdictStore.Mark, progress: @Sendable (WorkLease.State) async -> Void
    ) async throws -> Verdict? {
        var reconciler = reconciler
        let rollout = reconciler.rollout
        guard try await takePermit(reconciler) else { throw GatewayError.verifierBusy }
        while true {
            try Task.checkCancellation()
            switch reconciler.next(now: clock.now()) {
            case .readRollout:
                wake.clear()
                guard let beginning = try await verdicts.begin(rollout, mark: mark) else { return nil }
                var reading = try await reader.read(rollout, failed: beginning.failed)
                reading.loss = loss(beginning, reconciler.rules)
                reconciler.read(reading)
            case .lookAtSpans(let ids):
                let states =
                    reconciler.rules.identity == .tag
                    ? try await spans.states(of: ids, writtenByProxyFor: rollout)
                    : try await spans.states(of: ids)
                reconciler.examined(states, now: clock.now())
            case .ask(var query, let cursor, let limit):
                query.timeout = timeout(until: reconciler.rules.deadline)
                do throws(TraceSourceError) {
                    let page = try await source.page(query, after: cursor, limit: limit)
                    let found = reconciler.received(page)
                    try await remember(found, reconciler)
                } catch {
                    try Task.checkCancellation()
                    logger.debug("trace store: \(error)", metadata: ["project": "\(rollout.project)"])
                    reconciler.failed(error, now: clock.now())
                }
                await tell(progress, reconciler, endsRound: false)
            case .resend(let ids):
                let count = try await spans.resend(ids, project: rollout.project)
                if count > 0 {
                    logger.notice(
                        "sent spans again that the trace store lost",
                        metadata: ["project": "\(rollout.project)", "count": "\(count)"])
                }
                reconciler.resent()
            case .wait:
                await tell(progress, reconciler, endsRound: reconciler.isBetweenRounds)
                try await wait(&reconciler)
            case .conclude(let verdict):
                if try await verdicts.write(verdict, mark: mark) || verdict.kind != .complete { return verdict }
                reconciler.setChanged()
            }
        }
    }

    /// Waits without a permit until the next step, or until another question asks for it. It gives up where too many
    /// wait already, or where no permit becomes free before the time is over.
    private func wait(_ reconciler: inout Reconciler) async throws {
        guard slot.park() else { return reconciler.stopWaiting() }
        let parked = clock.now()
        reconciler.park(now: parked)
        while let until = reconciler.pace.notBefore, until > clock.now() {
            try await wake.rest(until - clock.now(), by: clock)
            if until > clock.now() { reconciler.lookAgain(parked: parked) }
        }
        if try await !takePermit(reconciler) { reconciler.stopWaiting() }
    }

    /// - Returns: false if there was none in time, or no place to wait for one.
    private func takePermit(_ reconciler: Reconciler) async throws -> Bool {
        // What is left of the overtime is for the round.
        let deadline = reconciler.rules.deadline + Reconciler.overtime / 2
        let isTaken = await slot.take(within: deadline.elapsed(since: clock.now()), by: clock)
        try Task.checkCancellation()
        return isTaken
    }

    /// The set's loss, as far as recorded. A proxy's trace may be of a completion that fails later: it tells nothing.
    private func loss(_ beginning: VerdictStore.Beginning, _ rules: Reconciler.Rules) -> RolloutReading.Loss? {
        let recorded = max(beginning.recorded, rules.identity == .traceID ? beginning.seen : 0)
        return recorded > beginning.expected ? RolloutReading.Loss(recorded: recorded, left: beginning.expected) : nil
    }

    /// The longest wait for a page, even if the store sends a byte now and then.
    private func timeout(until deadline: Timestamp) -> Duration {
        max(deadline + Reconciler.overtime - clock.now(), .milliseconds(1))
    }

    /// Tells what is known. Nothing is complete before that is written down: the set may have changed.
    private func tell(
        _ progress: @Sendable (WorkLease.State) async -> Void, _ reconciler: Reconciler, endsRound: Bool
    ) async {
        let verdict = reconciler.verdict(now: clock.now())
        if verdict.kind != .complete { await progress(WorkLease.State(verdict: verdict, endsRound: endsRound)) }
    }

    private func remember(_ found: [InsertionID], _ reconciler: Reconciler) async throws(TraceSourceError) {
        guard !found.isEmpty else { return }
        do throws(RedisError) {
            try await reader.remember(found, of: reconciler.rollout)
        } catch {
            throw .unavailable(error.description)
        }
    }
}
