package import Common

extension Reconciler {
    /// The next step. To be called again after each answer, and after a wait.
    package mutating func next(now: Timestamp) -> Step {
        while true {
            if let pause, pause > now, stage != .conclude { return .wait(until: pause) }
            pause = nil
            if isWalkEndless {
                isWalkEndless = false
                retry(PageWalk.trouble, now: now)
                continue
            }
            if stage == .list || stage == .lookUp, now - Self.overtime >= rules.deadline { giveUp(stillAsking) }
            switch stage {
            case .read:
                roundBegan = now
                return .readRollout
            case .spans: if let step = nextSpans() { return step }
            case .list: if let step = nextPage() { return step }
            case .lookUp: if let step = nextLookUp() { return step }
            case .resend: if let step = nextResend() { return step }
            case .rest: rest(now: now)
            case .conclude: return .conclude(verdict(now: now))
            }
        }
    }

    private mutating func nextSpans() -> Step? {
        let chunk = unexamined.prefix(Self.spansAtOnce)
        if !chunk.isEmpty { return .lookAtSpans(Array(chunk)) }
        beginAsking()
        return nil
    }

    /// StatusPages of the whole rollout find many at once; look-ups go straight for what is missing.
    private mutating func beginAsking() {
        stage = .lookUp
        unasked = askable[...]
        guard let first = askable.first, let last = askable.last else { return }
        let pages = (reading.count(from: first, to: last) + Self.pageRows - 1) / Self.pageRows
        let lookUps = (askable.count + batch - 1) / batch
        guard pages < lookUps else { return }
        stage = .list
        windows = [window(askable)]
        unasked = []
    }

    private mutating func nextPage() -> Step? {
        if let window = windows.last, !isAllFound {
            return .ask(TraceQuery(.rollout(rollout.name), window: window), after: cursor, limit: rows)
        }
        // What became visible behind the reader's back is found by its id.
        windows = []
        cursor = nil
        unasked = askable.filter(pending.contains)[...]
        stage = .lookUp
        return nil
    }

    private mutating func nextLookUp() -> Step? {
        let ids = Array(unasked.prefix(batch))
        if !ids.isEmpty { return .ask(TraceQuery(.ids(ids), window: window(ids)), after: cursor, limit: rows) }
        stage = .resend
        overdue = overdue.filter(pending.contains)
        return nil
    }

    private mutating func nextResend() -> Step? {
        let chunk = overdue.prefix(Self.resendsAtOnce)
        if !chunk.isEmpty { return .resend(Array(chunk)) }
        stage = .rest
        return nil
    }

    private var isAllFound: Bool { !askable.contains(where: pending.contains) }

    func window(_ ids: [InsertionID]) -> TimeWindow {
        TimeWindow(of: ids, margin: rules.identity.margin(requestTimeout: rules.requestTimeout))
    }
}
