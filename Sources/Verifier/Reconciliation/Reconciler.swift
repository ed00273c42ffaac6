package import Common

/// The way to a verdict on one rollout, as decisions alone: it says what to do next, is told what came of it, and never
/// waits or reads a clock by itself.
///
/// In rounds: read the set; see which of the ids that were not found before have ended (their spans); ask the trace
/// store for these, by page if that takes fewer calls, else by id; have those sent again that the store accepted long
/// ago and does not show; rest a while. A round with nothing left is the last.
package struct Reconciler: Sendable {
    package struct Rules: Sendable {
        package var identity: TraceIdentity
        /// From a completion's arrival to its end. What has no span after that time is not in flight.
        package var requestTimeout: Duration
        /// The time for which an accepted span may be invisible before it is sent again.
        package var resendGrace: Duration
        /// Between the first two rounds; later ones are further apart.
        package var firstPause: Duration
        /// The most rounds, and the most failures of the trace store. Nil: as many as there is time for.
        package var attempts: Int?
        /// The time at which there must be a verdict.
        package var deadline: Timestamp

        package init(
            identity: TraceIdentity = .traceID, requestTimeout: Duration = .seconds(300),
            resendGrace: Duration = .seconds(15),
            firstPause: Duration = .seconds(2), attempts: Int? = nil, deadline: Timestamp = .distantFuture
        ) {
            self.identity = identity
            self.requestTimeout = requestTimeout
            self.resendGrace = resendGrace
            self.firstPause = firstPause
            self.attempts = attempts
            self.deadline = deadline
        }
    }

    package enum Step: Sendable, Equatable {
        /// To be answered by `read`.
        case readRollout
        /// To be answered by `examined`, with as many states as there are ids.
        case lookAtSpans([InsertionID])
        /// To be answered by `received` or `failed`.
        case ask(TraceQuery, after: TraceCursor?, limit: Int)
        /// To be answered by `resent`.
        case resend([InsertionID])
        /// Nothing to do before this time.
        case wait(until: Timestamp)
        /// The end, unless the set has changed meanwhile: then `setChanged`.
        case conclude(Verdict)
    }

    /// Rows of a page of a rollout's traces, and the most that a page of look-ups can have without repetitions.
    static let pageRows = 1000
    /// Ids whose spans are looked at, or that are sent again, in one step.
    static let spansAtOnce = 1000
    static let resendsAtOnce = 500
    /// Windows are not cut further than this: then it is not the time that makes them slow.
    static let narrowestWindow = Duration.seconds(1)
    /// After so many changes of the set just as everything was found, no more is tried.
    static let mostChanges = 100
    /// Between the end of a round and the beginning of the next that another question asks for.
    static let shortestPause = Duration.seconds(1)
    /// The time by which the last round may pass the deadline. The ingress waits longer than that.
    static let overtime = Duration.milliseconds(900)
    /// A server that changes its API more often than this is in trouble.
    static let mostLostCursors = 5

    enum Stage: Sendable { case read, spans, list, lookUp, resend, rest, conclude }

    let rollout: Rollout
    let rules: Rules

    var stage = Stage.read
    var reading = RolloutReading(ids: [], pending: [])
    /// Ids that have not been found; a part of them is `inFlight`.
    var pending: Set<InsertionID> = []
    var inFlight: Set<InsertionID> = []
    /// Ids whose spans are yet to be looked at, ascending.
    var unexamined: ArraySlice<InsertionID> = []
    /// Ids that the trace store may have, ascending.
    var askable: [InsertionID] = []
    /// Ids that the store accepted long ago.
    var overdue: [InsertionID] = []

    /// Windows that are left to be listed, the next at the end.
    var windows: [TimeWindow] = []
    /// Ids that are left to be looked up.
    var unasked: ArraySlice<InsertionID> = []
    var batch: Int
    var rows = Reconciler.pageRows
    var cursor: TraceCursor?
    /// The pages of what is being asked for.
    var walk = PageWalk()
    /// Whether they do not end.
    var isWalkEndless = false

    var rests: BackOff
    var failures = BackOff()
    var failureCount = 0
    var rounds = 0
    /// When the present round began.
    var roundBegan: Timestamp?
    var changes = 0
    var lostCursors = 0
    /// No call before this time.
    var pause: Timestamp?
    /// The reason why nothing can be said, if so.
    var reason: String?
    /// The numbers of pending and of expected ids at the end of the round before.
    var before: (pending: Int, expected: Int)?
    /// The verdict of the last round while nothing else is kept of it (``park(now:)``).
    var known: Verdict?
    /// When the next round was to begin that another question has brought forward.
    var scheduled: Timestamp?

    package init(rollout: Rollout, rules: Rules) {
        self.rollout = rollout
        self.rules = rules
        batch = rules.identity.mostIDs
        rests = BackOff(first: rules.firstPause)
    }

    /// The state of knowledge.
    package func verdict(now: Timestamp) -> Verdict {
        if let known { return known }
        let expected = max(reading.ids.count + reading.strangerCount, reading.loss?.recorded ?? 0)
        let isComplete = pending.isEmpty && reading.strangerCount == 0
        let kind: Verdict.Kind = reason != nil ? .unknown : isComplete ? .complete : .incomplete
        return Verdict(
            rollout: rollout, kind: kind, reason: reason, expected: expected,
            traced: reading.ids.count - pending.count,
            inFlight: inFlight.count, failed: reading.failed, missing: kind == .incomplete ? missing : [],
            checkedAt: now)
    }

    private var missing: [String] {
        let ids = reading.pending.lazy.filter { pending.contains($0) && !inFlight.contains($0) }.prefix(
            Verdict.mostMissing
        ).map(\.description)
        return Array((Array(ids) + reading.strangers).prefix(Verdict.mostMissing))
    }
}
