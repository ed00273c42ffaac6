package import Common

extension Reconciler {
    /// Takes the set as it is now.
    package mutating func read(_ reading: RolloutReading) {
        self.reading = reading
        known = nil
        pending = Set(reading.pending)
        inFlight = []
        askable = []
        overdue = []
        unexamined = reading.pending[...]
        stage = .spans
        // What is left may be traced to the last one, and is not all.
        if let loss = reading.loss { giveUp(Verdict.loss(of: loss.recorded, left: loss.left)) }
    }

    /// Takes the states of the spans that were to be looked at, in the order of the ids.
    package mutating func examined(_ states: [SpanState], now: Timestamp) {
        guard stage == .spans else { return }
        let chunk = unexamined.prefix(Self.spansAtOnce)
        for (id, state) in zip(chunk, states) {
            let age = now - id.time
            let isInFlight = (state == .none || state == .perhapsForgotten) && age < rules.requestTimeout
            if isInFlight { inFlight.insert(id) }
            // A proxy's spans are not ours to see, and ours are gone an hour after their export: only asking tells.
            let isGone = age >= SpanState.lifeAfterExport
            if !isInFlight || state == .perhapsForgotten || rules.identity == .tag || isGone { askable.append(id) }
            if case .sent(let ago) = state, ago >= rules.resendGrace { overdue.append(id) }
        }
        unexamined = unexamined.dropFirst(chunk.count)
    }

    /// Takes a page.
    /// - Returns: the ids that it showed for the first time; they need not be looked for again.
    package mutating func received(_ page: TracePage) -> [InsertionID] {
        if cursor == nil { walk = PageWalk() }
        var found: [InsertionID] = []
        for row in page.rows {
            for id in row.ids where pending.remove(id) != nil {
                inFlight.remove(id)
                found.append(id)
            }
        }
        if !found.isEmpty || page.next == nil { failures.reset() }
        cursor = page.next
        // All that the batch asks for is there; what follows are repetitions.
        if stage == .lookUp, !unasked.prefix(batch).contains(where: pending.contains) { cursor = nil }
        if let next = cursor {
            guard !walk.goesOn(to: next, isNew: !found.isEmpty) else { return found }
            // From the beginning, later.
            (cursor, isWalkEndless) = (nil, true)
            return found
        }
        switch stage {
        case .list: _ = windows.popLast()
        case .lookUp: unasked = unasked.dropFirst(batch)
        default: break
        }
        return found
    }

    /// Takes the trace store's failure to give the page.
    package mutating func failed(_ error: TraceSourceError, now: Timestamp) {
        switch error {
        case .refused(let reason): giveUp(reason)
        case .cursorLost:
            cursor = nil
            lostCursors += 1
            if lostCursors > Self.mostLostCursors { retry(error, now: now) }
        case .tooLarge: if !halveRows() { retry(error, now: now) }
        case .tooSlow: if !narrow() { retry(error, now: now) }
        case .rateLimited(let pause):
            let until = now + pause
            if until > rules.deadline { giveUp(error.description) } else { self.pause = until }
        case .unavailable, .cancelled: retry(error, now: now)
        }
    }

    /// Takes note that the spans are on their way again.
    package mutating func resent() { overdue = Array(overdue.dropFirst(Self.resendsAtOnce)) }

    /// The set changed while everything was found: what was found is not all any longer.
    package mutating func setChanged() {
        changes += 1
        if changes >= Self.mostChanges {
            giveUp("the rollout changes faster than it can be checked; ask again when it has ended")
        } else {
            stage = .read
        }
    }

    /// Asks for less at once; false if it is little already. The page is asked for from its beginning.
    private mutating func narrow() -> Bool {
        switch stage {
        case .list:
            guard let window = windows.last, window.width > Self.narrowestWindow, let halves = window.halves else {
                break
            }
            windows.removeLast()
            // Newest first, as the store goes.
            windows += [halves.earlier, halves.later]
            cursor = nil
            return true
        case .lookUp:
            guard batch > 1 else { break }
            batch = max(batch / 2, 1)
            cursor = nil
            return true
        default: break
        }
        return halveRows()
    }

    private mutating func halveRows() -> Bool {
        guard rows > 1 else { return false }
        rows = max(rows / 2, 1)
        cursor = cursor?.resized
        return true
    }

    mutating func retry(_ error: TraceSourceError, now: Timestamp) {
        failureCount += 1
        let isOver = rules.attempts.map { failureCount >= $0 } ?? false
        if isOver || now >= rules.deadline { return giveUp(error.description) }
        pause = min(now + failures.take(), rules.deadline)
    }

    mutating func giveUp(_ reason: String) {
        self.reason = reason
        stage = .conclude
    }
}
