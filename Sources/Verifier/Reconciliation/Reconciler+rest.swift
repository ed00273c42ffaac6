package import Common

/// The end of a round, and the pauses: between two rounds, and within one while the trace store is in trouble.
extension Reconciler {
    /// Ends a round: decides whether it was the last one, or when the next one begins.
    mutating func endRound(now: Timestamp) {
        let isExtra = plannedRound != nil
        if !isExtra { rounds += 1 }
        let expected = reading.ids.count + reading.strangerCount
        if let lastRound, lastRound.pending != pending.count || lastRound.expected != expected {
            roundPauses.reset()
            plannedRound = nil
        }
        lastRound = (pending.count, expected)
        let isOver = rules.attempts.map { rounds >= $0 } ?? false
        // The last round ends about at the deadline. Where a store is so slow that there is no time for another one,
        // what this one found is the answer.
        let last = rules.deadline - now.elapsed(since: roundBegan ?? now)
        if (pending.isEmpty && reading.strangerCount == 0) || isOver || now >= last {
            stage = .conclude
        } else {
            notBefore = min(max(plannedRound ?? now + roundPauses.take(), now), last)
            stage = .read
        }
        plannedRound = nil
    }

    /// Begins to wait. Between two rounds only the verdict of the last one is kept: the set may be large, and is read
    /// anew.
    package mutating func park(now: Timestamp) {
        guard isBetweenRounds else { return }
        parkedVerdict = verdict(now: now)
        reading = RolloutReading(ids: [], pending: [])
        (pending, inFlight) = ([], [])
        (unexamined, unasked) = ([], [])
        (askable, overdue) = ([], [])
    }

    /// Brings the next round forward, to soon after the last one, because another question asks for the same. It does
    /// not count as one of the rounds that the rules allow.
    /// - Parameter parked: when the wait began.
    package mutating func lookAgain(parked: Timestamp) {
        guard isBetweenRounds, let notBefore, parkedVerdict != nil, notBefore > parked + Self.shortestPause else {
            return
        }
        plannedRound = plannedRound ?? notBefore
        self.notBefore = parked + Self.shortestPause
    }

    /// Stops waiting, though there might be more to find out: the present knowledge is the verdict.
    package mutating func stopWaiting() {
        notBefore = nil
        if isBetweenRounds { stage = .conclude } else { giveUp(stillAsking) }
    }

    /// The reason why there is no verdict yet. Seen traces stay seen: a client that asks again goes on from there.
    var stillAsking: String {
        "the trace store is still being asked: \(reading.ids.count - pending.count) of \(reading.ids.count) traces "
            + "were seen so far; ask again"
    }
}
