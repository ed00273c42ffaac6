internal import Common
internal import NIOConcurrencyHelpers

/// The sharing of one round at a time among questions about the same rollout. `SingleFlight` shares it within this
/// process, `WorkLease` among verifiers. Questions that listen wait without a permit.
extension VerificationRunner {
    /// A verdict that a question waits for.
    struct PendingVerdict: Sendable {
        let rollout: Rollout
        let patience: WaitPolicy
        /// Its part of the verifier's capacity.
        let slot: QuestionSlot
        /// Told what is known while the rollout is not complete.
        let progress: @Sendable (Verdict) async -> Void

        /// Whether a verdict is enough that was found in one round.
        var isInHurry: Bool { patience.attempts == 1 }
    }

    /// Works on the verdict, or listens to the question that does.
    func share(_ pending: PendingVerdict) async throws -> Verdict? {
        while true {
            switch shared.join(pending.rollout) {
            case .work(let wake): return try await work(on: pending, wake)
            case .listen(let events, let latest):
                guard pending.slot.park() else { return try verdictOrBusy(latest) }
                let outcome = try await listen(to: events, knowing: latest?.verdict, pending)
                if let outcome { return outcome.verdict }
            }
            try Task.checkCancellation()
        }
    }

    /// The latest verdict, for a question that finds no place to wait.
    /// - Throws: `verifierBusy` if there is none.
    private func verdictOrBusy(_ latest: WorkLease.State?) throws(GatewayError) -> Verdict {
        guard let latest else { throw .verifierBusy }
        return latest.verdict
    }

    private func work(on pending: PendingVerdict, _ wake: WakeSignal) async throws -> Verdict? {
        let rollout = pending.rollout
        var ending = SingleFlight.Event.abandoned
        defer { shared.end(pending.rollout, ending) }
        let tell = { @Sendable [shared] (news: WorkLease.State) in
            shared.tell(news, of: pending.rollout)
            await pending.progress(news.verdict)
        }
        let lease = WorkLease(on: rollout, redis: redis)
        if let followed = try await follow(lease, pending: pending, tell: tell) {
            ending = .ended(followed)
            return followed
        }
        let rules = Reconciler.Rules(
            identity: options.identity, requestTimeout: options.requestTimeout, resendGrace: options.resendGrace,
            firstPause: pending.patience.firstPause, attempts: pending.patience.attempts)
        let run = ReconcilerRun(
            source: source(of: rollout.project) ?? NoTraceSource(project: rollout.project), reader: reader,
            spans: spans,
            verdicts: verdicts, clock: clock, slot: pending.slot, wake: wake, logger: logger)
        let verdict = try await lease.hold(onAsked: wake.send) { note in
            try await run.verdict(
                on: rollout, rules: rules, by: pending.patience.deadline
            ) { news in
                await note(news)
                await tell(news)
            }
        }
        ending = .ended(verdict)
        if let verdict { metrics?.found(verdict) }
        return verdict
    }

    /// Listens to another verifier as long as one is at the same work.
    /// - Returns: a verdict that is enough for this question; nil if the work is its own now.
    private func follow(
        _ lease: WorkLease, pending: PendingVerdict, tell: (WorkLease.State) async -> Void
    ) async throws -> Verdict? {
        var latest: WorkLease.State?
        var isFirst = true
        while try await !lease.take(asking: isFirst) {
            isFirst = false
            if let verdict = try await verdicts.verdict(on: pending.rollout, now: clock.now()),
                verdict.kind == .complete || pending.isInHurry
            {
                return verdict
            }
            if let news = try await lease.state(), news != latest {
                latest = news
                await tell(news)
                if news.endsRound, pending.isInHurry { return news.verdict }
            }
            let left = Duration.milliseconds(pending.patience.deadline - clock.steady())
            guard left > .zero else { return latest?.verdict ?? stillChecking(pending) }
            guard pending.slot.park() else { return try verdictOrBusy(latest) }
            try await clock.sleep(min(left, WorkLease.pollInterval))
        }
        return nil
    }

    /// An outcome of the work that is enough for a listener: a verdict, or nil if there is no such rollout.
    private struct Outcome { var verdict: Verdict? }

    /// Listens to the question that does the work.
    /// - Parameter earlier: the verdict that was told before the listening began.
    /// - Returns: Nil if the question has to be asked again.
    private func listen(
        to events: AsyncStream<SingleFlight.Event>, knowing earlier: Verdict?, _ pending: PendingVerdict
    ) async throws -> Outcome? {
        let patience = pending.patience
        let latestVerdict = NIOLockedValueBox(earlier)
        let event = try await withThrowingTaskGroup(of: SingleFlight.Event?.self) { group in
            group.addTask { [clock] in
                // The work may take longer than this question wants to wait.
                try await clock.sleep(.milliseconds(max(patience.deadline - clock.steady(), 0)))
                return nil
            }
            group.addTask {
                var last = SingleFlight.Event.abandoned
                for await event in events {
                    last = event
                    guard case .progress(let news) = event else { continue }
                    latestVerdict.withLockedValue { $0 = news.verdict }
                    await pending.progress(news.verdict)
                    if news.endsRound, pending.isInHurry { break }
                }
                return last
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        let isLate = clock.steady() >= patience.deadline
        switch event {
        case .ended(let verdict):
            let isFinal = verdict == nil || verdict?.kind == .complete || pending.isInHurry || isLate
            return isFinal ? Outcome(verdict: verdict) : nil
        case .progress(let news) where news.endsRound && pending.isInHurry: return Outcome(verdict: news.verdict)
        case .progress, .abandoned, nil:
            guard isLate else { return nil }
            return Outcome(verdict: latestVerdict.withLockedValue { $0 } ?? stillChecking(pending))
        }
    }

    private func stillChecking(_ pending: PendingVerdict) -> Verdict {
        Verdict(
            rollout: pending.rollout, kind: .unknown,
            reason: "the rollout is still being checked; ask again",
            expected: 0, traced: 0,
            inFlight: 0, failed: 0, missing: [], checkedAt: clock.now())
    }
}

/// Lets questions about the same rollout share one answer. The first of them works, and the others hear what comes of
/// it. If the first gives up, one of the others takes the work over.
final class SingleFlight: Sendable {
    enum Event: Sendable {
        case progress(WorkLease.State)
        /// The verdict; nil if there is no such rollout.
        case ended(Verdict?)
        case abandoned
    }

    enum Part {
        /// - Parameter wake: ends the worker's rest when another one asks.
        case work(wake: WakeSignal)
        /// - Parameter latest: what the worker has told before; nil if it has told nothing yet.
        case listen(AsyncStream<Event>, latest: WorkLease.State?)
    }

    /// A question that is being worked on.
    private struct Flight {
        let wake = WakeSignal()
        var listeners: [Int: AsyncStream<Event>.Continuation] = [:]
        var latest: WorkLease.State?
    }

    private struct State {
        var flights: [Rollout: Flight] = [:]
        var nextListener = 0
    }

    private let state = NIOLockedValueBox(State())

    /// Takes part. The one that is told to work must call `end`.
    func join(_ rollout: Rollout) -> Part {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1))
        let (place, flight) = state.withLockedValue { state -> (Int?, Flight) in
            guard let flight = state.flights[rollout] else {
                let flight = Flight()
                state.flights[rollout] = flight
                return (nil, flight)
            }
            state.nextListener += 1
            state.flights[rollout]?.listeners[state.nextListener] = continuation
            return (state.nextListener, flight)
        }
        guard let place else { return .work(wake: flight.wake) }
        continuation.onTermination = { [state] _ in
            state.withLockedValue { _ = $0.flights[rollout]?.listeners.removeValue(forKey: place) }
        }
        flight.wake.send()
        return .listen(stream, latest: flight.latest)
    }

    func tell(_ news: WorkLease.State, of rollout: Rollout) {
        let listeners = state.withLockedValue { state in
            state.flights[rollout]?.latest = news
            return state.flights[rollout].map { Array($0.listeners.values) } ?? []
        }
        for listener in listeners { listener.yield(.progress(news)) }
    }

    func end(_ rollout: Rollout, _ event: Event) {
        let flight = state.withLockedValue { $0.flights.removeValue(forKey: rollout) }
        for listener in flight?.listeners.values.map(\.self) ?? [] {
            listener.yield(event)
            listener.finish()
        }
    }

    /// The number of listeners, for tests.
    func listeners(to rollout: Rollout) -> Int {
        state.withLockedValue { $0.flights[rollout]?.listeners.count ?? 0 }
    }
}
