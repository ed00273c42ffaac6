internal import Common
internal import Logging

/// Carries out what a `Reconciler` decides.
struct ReconcilerRun: Sendable {
    let source: any TraceSource
    let reader: RolloutReader
    let spans: SpanKeeper
    let verdicts: VerdictStore
    let clock: VerifierClock
    let logger: Logger

    /// Goes on until there is a verdict, and writes it down.
    /// - Parameter progress: told what is known after each answer of the trace store, and before each wait.
    /// - Returns: Nil if there is no such rollout.
    /// - Throws: `RedisError`, `CancellationError`.
    func verdict(
        on rollout: String, project: String, rules: Reconciler.Rules, progress: @Sendable (Verdict) async -> Void
    ) async throws -> Verdict? {
        var reconciler = Reconciler(rollout: rollout, project: project, rules: rules)
        let mark = VerdictStore.Mark()
        while true {
            try Task.checkCancellation()
            switch reconciler.next(now: clock.now()) {
            case .readRollout:
                guard let beginning = try await verdicts.begin(rollout, project: project, mark: mark) else { return nil }
                reconciler.read(try await reader.read(rollout, project: project, failed: beginning.failed))
            case .lookAtSpans(let ids):
                let states = try await spans.states(of: ids)
                reconciler.examined(states, now: clock.now())
            case .ask(let query, let cursor, let limit):
                do throws(TraceSourceError) {
                    let page = try await source.page(query, after: cursor, limit: limit)
                    let found = reconciler.received(page)
                    try await remember(found, reconciler)
                } catch {
                    try Task.checkCancellation()
                    logger.debug("trace store: \(error)", metadata: ["project": "\(project)"])
                    reconciler.failed(error, now: clock.now())
                }
                await tell(progress, reconciler)
            case .resend(let ids):
                let count = try await spans.resend(ids, project: project)
                if count > 0 {
                    logger.notice("sent spans again that the trace store lost", metadata: ["project": "\(project)", "count": "\(count)"])
                }
                reconciler.resent()
            case .wait(let until):
                await tell(progress, reconciler)
                try await clock.sleep(.milliseconds(max(until - clock.now(), 1)))
            case .conclude(let verdict):
                if try await verdicts.write(verdict, mark: mark) || verdict.kind != .complete { return verdict }
                reconciler.setChanged()
            }
        }
    }

    /// Nothing is complete before that is written down: the set may have changed.
    private func tell(_ progress: @Sendable (Verdict) async -> Void, _ reconciler: Reconciler) async {
        let verdict = reconciler.verdict(now: clock.now())
        if verdict.kind != .complete { await progress(verdict) }
    }

    private func remember(_ found: [InsertionID], _ reconciler: Reconciler) async throws(TraceSourceError) {
        guard !found.isEmpty else { return }
        do throws(RedisError) {
            try await reader.remember(found, of: reconciler.rollout, project: reconciler.project)
        } catch {
            throw .unavailable(error.description)
        }
    }
}
