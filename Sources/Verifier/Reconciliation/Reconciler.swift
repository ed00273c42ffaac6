package import Common

/// The way to a verdict on one rollout, as decisions alone: it says what to do next, is told what came of it, and never
/// waits or reads a clock by itself.
///
/// It goes in rounds. These are the stages of a round, each with its step:
/// 1. `read`: reads the rollout's set (`readRollout`).
/// 2. `spans`: looks at the spans of the ids that were not found before, to see which completions have ended
///    (`lookAtSpans`).
/// 3. `list`: asks the trace store for pages of the whole rollout (`ask`). This stage is left out unless it takes fewer
///    calls than look-ups.
/// 4. `lookUp`: asks the trace store for the ids that are still to be found (`ask`).
/// 5. `resend`: sends those spans again that the store accepted long ago and does not show (`resend`).
/// 6. `endRound`: ends the round without a step. The next stage is `read` after a pause, or `conclude`.
/// 7. `conclude`: gives the verdict (`conclude`). A set that has changed meanwhile takes one more round.
///
/// A pause (`wait`) comes between two rounds, and within a round while the trace store is in trouble. A reason why
/// nothing can be said of the rollout leads to `conclude` at once.
package struct Reconciler: Sendable {
    package struct Rules: Sendable {
        package var identity: TraceIdentity
        /// The longest time from a completion's arrival to its end. A completion without a span is not in flight after
        /// that time.
        package var requestTimeout: Duration
        /// The time for which an accepted span may be invisible before it is sent again.
        package var resendGrace: Duration
        /// The pause between the first two rounds; later pauses are longer.
        package var firstPause: Duration
        /// The most rounds, and by itself the most failures of the trace store in all rounds: reaching either number
        /// ends the work. Nil: as many as there is time for.
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
        case ask(StoreQuery, after: TraceCursor?, limit: Int)
        /// To be answered by `resent`.
        case resend([InsertionID])
        /// Nothing to do before this time.
        case wait(until: Timestamp)
        /// The end, unless the set has changed meanwhile: then `setChanged`.
        case conclude(Verdict)
    }

    /// The most rows that a page is asked for at first. A look-up names fewer ids, so without repetitions its answer is
    /// one page.
    static let pageRows = 1000
    /// Ids whose spans are looked at, or that are sent again, in one step.
    static let spansAtOnce = 1000
    static let resendsAtOnce = 500
    /// The most times that the set may change just as everything was found. After them no more is tried.
    static let mostChanges = 100
    /// The pause between the end of a round and a next round that another question asks for.
    static let shortestPause = Duration.seconds(1)
    /// The time by which the last round may pass the deadline. The ingress waits longer than that.
    static let overtime = Duration.milliseconds(900)
    /// A server that changes its API more often than this is in trouble.
    static let mostLostCursors = 5

    enum Stage: Sendable { case read, spans, list, lookUp, resend, endRound, conclude }

    let rollout: Rollout
    let rules: Rules

    var stage = Stage.read
    /// Whether the next step reads the set: it begins a round, and nothing of an earlier one is needed for it.
    var isBetweenRounds: Bool { stage == .read }

    var round = RoundIDs()
    private var paging: Paging
    var pace: Pace
    /// The number of times that the set changed just as everything was found.
    private var setChanges = 0

    // The outcome.

    /// The reason why nothing can be said of the rollout; nil: there is no such reason.
    var reason: String?
    /// The verdict of the last round while nothing else is kept of it (``park(now:)``).
    var parkedVerdict: Verdict?

    package init(rollout: Rollout, rules: Rules) {
        self.rollout = rollout
        self.rules = rules
        paging = Paging(idsPerLookUp: rules.identity.mostIDs)
        pace = Pace(firstPause: rules.firstPause)
    }

    /// The verdict as far as it is known.
    package func verdict(now: Timestamp) -> Verdict {
        if let parkedVerdict { return parkedVerdict }
        let kind: Verdict.Kind = reason != nil ? .unknown : round.isComplete ? .complete : .incomplete
        return Verdict(
            rollout: rollout, kind: kind, reason: reason,
            expected: max(round.expected, round.reading.loss?.recorded ?? 0), traced: round.traced,
            inFlight: round.inFlight.count, failed: round.reading.failed,
            missing: kind == .incomplete ? round.missing : [], checkedAt: now)
    }
}

/// The decisions about the next step.
extension Reconciler {
    /// The next step. To be called again after each answer, and after a wait.
    package mutating func next(now: Timestamp) -> Step {
        while true {
            if let notBefore = pace.notBefore, notBefore > now, stage != .conclude { return .wait(until: notBefore) }
            pace.notBefore = nil
            if paging.isWalkEndless {
                paging.isWalkEndless = false
                retry(PageWalk.trouble, now: now)
                continue
            }
            if stage == .list || stage == .lookUp, now - Self.overtime >= rules.deadline { giveUp(stillAsking) }
            switch stage {
            case .read:
                pace.roundBegan = now
                return .readRollout
            case .spans: if let step = nextSpans() { return step }
            case .list: if let step = nextPage() { return step }
            case .lookUp: if let step = nextLookUp() { return step }
            case .resend: if let step = nextResend() { return step }
            case .endRound: endRound(now: now)
            case .conclude: return .conclude(verdict(now: now))
            }
        }
    }

    private mutating func nextSpans() -> Step? {
        let chunk = round.unexamined.prefix(Self.spansAtOnce)
        if !chunk.isEmpty { return .lookAtSpans(Array(chunk)) }
        beginAsking()
        return nil
    }

    /// Pages of the whole rollout find many at once; look-ups go straight for what is missing.
    private mutating func beginAsking() {
        stage = .lookUp
        round.unasked = round.askable[...]
        guard let first = round.askable.first, let last = round.askable.last else { return }
        let pages = (round.reading.count(from: first, to: last) + Self.pageRows - 1) / Self.pageRows
        let lookUps = (round.askable.count + paging.idsPerLookUp - 1) / paging.idsPerLookUp
        guard pages < lookUps else { return }
        stage = .list
        paging.windows = [window(round.askable)]
        round.unasked = []
    }

    private mutating func nextPage() -> Step? {
        if let window = paging.windows.last, !round.isAllFound {
            return .ask(
                StoreQuery(.rollout(rollout.name), window: window), after: paging.cursor, limit: paging.rowsPerPage)
        }
        // A trace that became visible on a page that was read before is found by its id.
        paging.windows = []
        paging.cursor = nil
        round.unasked = round.askable.filter(round.pending.contains)[...]
        stage = .lookUp
        return nil
    }

    private mutating func nextLookUp() -> Step? {
        let ids = Array(round.unasked.prefix(paging.idsPerLookUp))
        if !ids.isEmpty {
            return .ask(StoreQuery(.ids(ids), window: window(ids)), after: paging.cursor, limit: paging.rowsPerPage)
        }
        stage = .resend
        round.overdue = round.overdue.filter(round.pending.contains)
        return nil
    }

    private mutating func nextResend() -> Step? {
        let chunk = round.overdue.prefix(Self.resendsAtOnce)
        if !chunk.isEmpty { return .resend(Array(chunk)) }
        stage = .endRound
        return nil
    }

    func window(_ ids: [InsertionID]) -> TimeWindow {
        TimeWindow(of: ids, margin: rules.identity.margin(requestTimeout: rules.requestTimeout))
    }
}

/// The outcomes of the steps.
extension Reconciler {
    /// Takes the set as it is now.
    package mutating func read(_ reading: RolloutReading) {
        round = RoundIDs(reading)
        parkedVerdict = nil
        stage = .spans
        // The ids that are left may all be traced, but they are not all of the rollout.
        if let loss = reading.loss { giveUp(Verdict.loss(of: loss.recorded, left: loss.left)) }
    }

    /// Takes the states of the spans that were to be looked at, in the order of the ids.
    package mutating func examined(_ states: [SpanState], now: Timestamp) {
        guard stage == .spans else { return }
        let chunk = round.unexamined.prefix(Self.spansAtOnce)
        for (id, state) in zip(chunk, states) {
            let age = now - id.time
            let isInFlight = (state == .absent || state == .perhapsForgotten) && age < rules.requestTimeout
            if isInFlight { round.inFlight.insert(id) }
            // A proxy's spans are not ours to see, and ours are gone an hour after their export: only asking tells.
            let isGone = age >= SpanState.lifeAfterExport
            if !isInFlight || state == .perhapsForgotten || rules.identity == .tag || isGone {
                round.askable.append(id)
            }
            if case .sent(let ago) = state, ago >= rules.resendGrace { round.overdue.append(id) }
        }
        round.unexamined = round.unexamined.dropFirst(chunk.count)
    }

    /// Takes a page.
    /// - Returns: the ids that it showed for the first time; they need not be looked for again.
    package mutating func received(_ page: TracePage) -> [InsertionID] {
        if paging.cursor == nil { paging.walk = PageWalk() }
        var found: [InsertionID] = []
        for row in page.rows {
            for id in row.ids where round.pending.remove(id) != nil {
                round.inFlight.remove(id)
                found.append(id)
            }
        }
        if !found.isEmpty || page.next == nil { pace.failurePauses.reset() }
        paging.cursor = page.next
        // All that the batch asks for is there; what follows are repetitions.
        if stage == .lookUp, !round.unasked.prefix(paging.idsPerLookUp).contains(where: round.pending.contains) {
            paging.cursor = nil
        }
        if let next = paging.cursor {
            guard !paging.walk.goesOn(to: next, isNew: !found.isEmpty) else { return found }
            // The walk begins anew, later.
            (paging.cursor, paging.isWalkEndless) = (nil, true)
            return found
        }
        switch stage {
        case .list: _ = paging.windows.popLast()
        case .lookUp: round.unasked = round.unasked.dropFirst(paging.idsPerLookUp)
        default: break
        }
        return found
    }

    /// Takes the trace store's failure to give the page.
    package mutating func failed(_ error: TraceSourceError, now: Timestamp) {
        switch error {
        case .refused(let reason): giveUp(reason)
        case .cursorLost:
            paging.cursor = nil
            paging.lostCursors += 1
            if paging.lostCursors > Self.mostLostCursors { retry(error, now: now) }
        case .tooLarge: if !paging.halveRows() { retry(error, now: now) }
        case .questionTooLarge: if !narrow() { retry(error, now: now) }
        case .rateLimited(let pause):
            let until = now + pause
            if until > rules.deadline { giveUp(error.description) } else { pace.notBefore = until }
        case .unavailable, .cancelled: retry(error, now: now)
        }
    }

    /// Takes note that the spans are on their way again.
    package mutating func resent() { round.overdue = Array(round.overdue.dropFirst(Self.resendsAtOnce)) }

    /// The set changed while everything was found: what was found is not all any longer.
    package mutating func setChanged() {
        setChanges += 1
        if setChanges >= Self.mostChanges {
            giveUp("the rollout changes faster than it can be checked; ask again when it has ended")
        } else {
            stage = .read
        }
    }

    /// Asks for less at once; false if it is little already. The page is asked for from its beginning.
    private mutating func narrow() -> Bool {
        let isNarrower =
            switch stage {
            case .list: paging.halveWindow()
            case .lookUp: paging.halveIDs()
            default: false
            }
        return isNarrower || paging.halveRows()
    }

    mutating func giveUp(_ reason: String) {
        self.reason = reason
        stage = .conclude
    }
}

/// The ids of one round.
struct RoundIDs: Sendable {
    /// The set as it was read.
    let reading: RolloutReading
    /// Ids that have not been found; a part of them is `inFlight`.
    var pending: Set<InsertionID>
    /// Ids of completions that have not ended.
    var inFlight: Set<InsertionID> = []
    /// Ids whose spans are yet to be looked at, ascending.
    var unexamined: ArraySlice<InsertionID>
    /// Ids that the trace store may have, ascending.
    var askable: [InsertionID] = []
    /// Ids that are left to be looked up.
    var unasked: ArraySlice<InsertionID> = []
    /// Ids that the store accepted long ago.
    var overdue: [InsertionID] = []

    init(_ reading: RolloutReading = RolloutReading(ids: [], pending: [])) {
        self.reading = reading
        pending = Set(reading.pending)
        unexamined = reading.pending[...]
    }

    var expected: Int { reading.ids.count + reading.strangerCount }

    var traced: Int { reading.ids.count - pending.count }

    /// Whether each id of the set was found.
    var isComplete: Bool { pending.isEmpty && reading.strangerCount == 0 }

    /// Whether each id that the trace store may have was found.
    var isAllFound: Bool { !askable.contains(where: pending.contains) }

    /// Members of the set whose completions have ended and were not found, oldest first.
    var missing: [String] {
        let ids = reading.pending.lazy.filter { pending.contains($0) && !inFlight.contains($0) }
        let missing = ids.prefix(Verdict.mostMissing).map(\.description)
        return Array((Array(missing) + reading.strangers).prefix(Verdict.mostMissing))
    }
}

/// The questions to the trace store: how much each asks for, and where the next page begins.
private struct Paging: Sendable {
    /// The narrowest window. If the store is slow with it, the width is not the reason.
    static let narrowestWindow = Duration.seconds(1)

    /// Windows that are left to be listed, the next at the end.
    var windows: [TimeWindow] = []
    /// The most ids that one look-up asks for. It becomes smaller where the store is too slow.
    var idsPerLookUp: Int
    /// The most rows that one page may have. It becomes smaller where answers are too large.
    var rowsPerPage = Reconciler.pageRows
    /// The place at which the next page of the present question begins; nil: at its beginning.
    var cursor: TraceCursor?
    /// The pages of what is being asked for.
    var walk = PageWalk()
    /// Whether these pages do not end.
    var isWalkEndless = false
    /// The number of times that the store changed its API.
    var lostCursors = 0

    init(idsPerLookUp: Int) { self.idsPerLookUp = idsPerLookUp }

    /// - Returns: false if the window is narrow already.
    mutating func halveWindow() -> Bool {
        guard let window = windows.last, window.width > Self.narrowestWindow, let halves = window.halves else {
            return false
        }
        windows.removeLast()
        // Newest first, as the store goes.
        windows += [halves.earlier, halves.later]
        cursor = nil
        return true
    }

    /// - Returns: false if a look-up asks for one id already.
    mutating func halveIDs() -> Bool {
        guard idsPerLookUp > 1 else { return false }
        idsPerLookUp = max(idsPerLookUp / 2, 1)
        cursor = nil
        return true
    }

    /// - Returns: false if a page has one row already.
    mutating func halveRows() -> Bool {
        guard rowsPerPage > 1 else { return false }
        rowsPerPage = max(rowsPerPage / 2, 1)
        cursor = cursor?.resized
        return true
    }
}
