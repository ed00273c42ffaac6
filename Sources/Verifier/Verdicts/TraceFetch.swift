internal import Common

/// Fetches the traces of known ids, newest first, a batch of ids at a time, each trace once.
struct TraceFetch: Sendable {
    /// The most repetitions of a batch that does not show all of its traces, or of a call to a store in trouble.
    static let mostRepetitions = 5
    /// The most bytes of a question that name metadata whose values shall come whole. Further values that are cut are
    /// left out. A proxy may take a request line of 4 KiB.
    static let mostNameBytes = 1000

    let source: any TraceSource
    let identity: TraceIdentity
    /// By how much the time of a span may differ from its id's.
    let margin: Duration
    let clock: VerifierClock
    /// The answer's part of the verifier's capacity; with a permit, but for pauses.
    let slot: QuestionSlot
    /// By the steady clock, in milliseconds.
    let deadline: Int64

    /// - Parameters:
    ///   - ids: ascending.
    ///   - members: what is wanted of each trace.
    ///   - take: gets the traces that came together; says whether it wants more.
    /// - Throws: `GatewayError` if a trace cannot be read; what `take` throws.
    func run(
        _ ids: [InsertionID], of members: TraceMembers, take: ([FetchedTrace]) async throws -> Bool
    ) async throws {
        var asking = Asking(ids: AdaptiveLimit(limit: identity.mostIDs))
        var end = ids.count
        while end > 0 {
            // What is left of a batch is asked for again, fewer at a time, where the store could not answer for all of
            // it.
            var batch = ids[max(end - identity.mostIDs, 0)..<end]
            end -= batch.count
            while !batch.isEmpty {
                let some = batch.suffix(asking.ids.most)
                switch try await fetch(Array(some), members: members, asking: &asking, take: take) {
                case .all:
                    batch = batch.dropLast(some.count)
                    asking.ids.recordSuccess()
                case .tooMany(let missing):
                    batch = batch.dropLast(some.count) + some.filter(missing.contains)
                    asking.ids.recordExcess(some.count)
                case .enough: return
                }
            }
        }
    }

    /// The sizes of one question, as the answers so far have taught.
    private struct Asking {
        var ids: AdaptiveLimit
        var rows = PageSize()
        /// Names of metadata whose values come whole. The attributes are always longer than what is shown else.
        var whole: Set<UTF8Text> = [UTF8Text(StoredMetadata.attributes)]
    }

    private enum Outcome {
        case all
        /// The question was too long or took too long; these are missing.
        case tooMany(missing: Set<InsertionID>)
        /// No more is wanted.
        case enough
    }

    /// Fetches the traces of some ids.
    private func fetch(
        _ ids: [InsertionID], members: TraceMembers, asking: inout Asking,
        take: ([FetchedTrace]) async throws -> Bool
    ) async throws -> Outcome {
        var query = StoreQuery(
            .ids(ids), window: TimeWindow(of: ids, margin: margin), detail: members.detail,
            observations: members.needsObservations)
        query.scores = members.contains(.scores)
        var missing = Set(ids)
        var cursor: TraceCursor?
        var pauses = Backoff.ofTraceStore(first: .seconds(1))
        var repetitions = 0
        var walk = PageWalk()
        while true {
            query.wholeMetadata = asking.whole
            query.timeout = try timeLeft()
            if cursor == nil { walk = PageWalk() }
            var (page, failure) = await ask(query, after: cursor, limit: asking.rows.rows)
            try Task.checkCancellation()
            if let page {
                asking.rows.learn(rows: page.rows.count, bytes: page.bytes)
                // The same page once more, when something of it was cut.
                if let wider = asking.whole.widened(by: page.cutMetadata) {
                    asking.whole = wider
                    continue
                }
                let fresh = page.rows.filter { row in row.ids.reduce(false) { missing.remove($1) != nil || $0 } }
                if !fresh.isEmpty, try await !take(fresh) { return .enough }
                if missing.isEmpty { return .all }
                cursor = page.next
                if let next = cursor {
                    if walk.goesOn(to: next, isNew: !fresh.isEmpty) { continue }
                    failure = PageWalk.trouble
                }
            }
            if failure == .questionTooLarge, ids.count > 1 { return .tooMany(missing: missing) }
            if failure == .tooLarge || failure == .questionTooLarge, asking.rows.halve() {
                cursor = cursor?.resized
                continue
            }
            cursor = nil
            repetitions += 1
            if failure == .cursorLost, repetitions == 1 { continue }
            try await pause(after: failure, repetitions: repetitions, missing: missing, pauses: &pauses)
        }
    }

    /// The time left until the client stops waiting.
    private func timeLeft() throws(GatewayError) -> Duration {
        let left = Duration.milliseconds(deadline - clock.steady())
        guard left > .zero else { throw .storeUnavailable("it takes longer than the client waits") }
        return left
    }

    private func ask(
        _ query: StoreQuery, after cursor: TraceCursor?, limit: Int
    ) async -> (TracePage?, TraceSourceError?) {
        do throws(TraceSourceError) { return (try await source.page(query, after: cursor, limit: limit), nil) } catch {
            return (nil, error)
        }
    }

    private func pause(
        after failure: TraceSourceError?, repetitions: Int, missing: Set<InsertionID>, pauses: inout Backoff
    ) async throws {
        var pause = pauses.next()
        switch failure {
        case .rateLimited(let time): pause = time
        case .refused(let reason): throw GatewayError.storeRefused(reason)
        default: break
        }
        let isOver = repetitions > Self.mostRepetitions || clock.steady() + Int64(pause / .milliseconds(1)) > deadline
        if isOver {
            throw GatewayError.storeUnavailable(
                failure?.description ?? "it does not show \(missing.count) traces that it has shown before")
        }
        _ = slot.park()
        try await clock.sleep(pause)
        let left = Duration.milliseconds(max(deadline - clock.steady(), 0))
        guard await slot.take(within: left, by: clock) else { throw GatewayError.verifierBusy }
        try Task.checkCancellation()
    }
}

extension Set<UTF8Text> {
    /// With others added, in their order, as far as there is room for them in a question; nil if nothing is new.
    fileprivate func widened(by others: Set<UTF8Text>) -> Self? {
        func length(_ name: UTF8Text) -> Int { PercentEncoding.segment(name.text).utf8.count + 1 }
        var (all, bytes) = (self, reduce(0) { $0 + length($1) })
        for name in others.subtracting(self).sorted() {
            bytes += length(name)
            guard bytes <= TraceFetch.mostNameBytes else { break }
            all.insert(name)
        }
        return all.count == count ? nil : all
    }
}

extension GatewayError {
    /// The trace store does not answer the question, and will not before the reason has gone.
    static func storeRefused(_ reason: String) -> Self {
        Self(
            status: 502, type: "api_error", code: "trace_store_refused",
            message: "The trace store does not answer: \(reason).", shouldRetry: false)
    }

    /// The trace store cannot be asked.
    static func storeUnavailable(_ reason: String) -> Self {
        Self(
            status: 502, type: "api_error", code: "trace_store_unavailable",
            message: "The trace store could not be asked: \(reason). Try again later.", retryAfter: 10,
            shouldRetry: true)
    }
}
