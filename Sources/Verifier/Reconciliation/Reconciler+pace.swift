package import Common

/// The end of a round, and the pauses: between two rounds, and within one while the trace store is in trouble.
extension Reconciler {
    /// Ends a round: decides whether it was the last one, or when the next one begins.
    mutating func endRound(now: Timestamp) {
        let isExtra = pace.plannedRound != nil
        if !isExtra { pace.rounds += 1 }
        if let last = pace.lastRound, last.pending != round.pending.count || last.expected != round.expected {
            pace.roundPauses.reset()
            pace.plannedRound = nil
        }
        pace.lastRound = (round.pending.count, round.expected)
        let isOver = rules.attempts.map { pace.rounds >= $0 } ?? false
        // The last round ends about at the deadline. Where a store is so slow that there is no time for another one,
        // what this one found is the answer.
        let last = rules.deadline - now.elapsed(since: pace.roundBegan ?? now)
        if round.isComplete || isOver || now >= last {
            stage = .conclude
        } else {
            pace.notBefore = min(max(pace.plannedRound ?? now + pace.roundPauses.next(), now), last)
            stage = .read
        }
        pace.plannedRound = nil
    }

    /// Pauses after a failure of the trace store, or gives up after too many of them.
    mutating func retry(_ error: TraceSourceError, now: Timestamp) {
        pace.failureCount += 1
        let isOver = rules.attempts.map { pace.failureCount >= $0 } ?? false
        if isOver || now >= rules.deadline { return giveUp(error.description) }
        pace.notBefore = min(now + pace.failurePauses.next(), rules.deadline)
    }

    /// Begins to wait. Between two rounds only the verdict of the last one is kept: the set may be large, and is read
    /// anew.
    package mutating func park(now: Timestamp) {
        guard isBetweenRounds else { return }
        parkedVerdict = verdict(now: now)
        round = RoundIDs()
    }

    /// Brings the next round forward, to soon after the last one, because another question asks for the same. It does
    /// not count as one of the rounds that the rules allow.
    /// - Parameter parked: when the wait began.
    package mutating func lookAgain(parked: Timestamp) {
        guard isBetweenRounds, let notBefore = pace.notBefore, parkedVerdict != nil,
            notBefore > parked + Self.shortestPause
        else {
            return
        }
        pace.plannedRound = pace.plannedRound ?? notBefore
        pace.notBefore = parked + Self.shortestPause
    }

    /// Stops waiting, though there might be more to find out: the present knowledge is the verdict.
    package mutating func stopWaiting() {
        pace.notBefore = nil
        if isBetweenRounds { stage = .conclude } else { giveUp(stillAsking) }
    }

    /// The reason why there is no verdict yet. Seen traces stay seen: a client that asks again goes on from there.
    var stillAsking: String {
        "the trace store is still being asked: \(round.traced) of \(round.reading.ids.count) traces "
            + "were seen so far; ask again"
    }
}

/// The rounds so far, and the pauses between them and after failures.
struct Pace: Sendable {
    /// The number of rounds that have ended, without those that other questions brought forward.
    var rounds = 0
    /// The beginning of the present round.
    var roundBegan: Timestamp?
    /// The numbers of pending and of expected ids at the end of the round before.
    var lastRound: (pending: Int, expected: Int)?
    /// The pauses between rounds.
    var roundPauses: Backoff
    /// The time of the next round before another question brought it forward; nil: none has.
    var plannedRound: Timestamp?
    /// The pauses after failures of the trace store.
    var failurePauses = Backoff.ofTraceStore()
    /// The number of failures of the trace store, in all rounds.
    var failureCount = 0
    /// The time before which there is no step; nil: the next step is due.
    var notBefore: Timestamp?

    init(firstPause: Duration) { roundPauses = .ofTraceStore(first: firstPause) }
}

extension Backoff {
    /// The pauses in which a trace store is asked again.
    static func ofTraceStore(first: Duration = .seconds(2)) -> Backoff { Backoff(first: first, longest: .seconds(30)) }
}
