internal import Common

/// Fetches the traces of known ids, newest first, a batch of ids at a time, each trace once.
struct TraceFetch: Sendable {
    /// How often a batch is asked for again that does not show all of its traces, or a store that is in trouble.
    static let mostRepetitions = 5
    /// Names of metadata that are asked for whole; the values of further ones stay cut.
    static let mostWholeMetadata = 50

    let source: any TraceSource
    let identity: TraceIdentity
    /// Milliseconds by which the time of a span may differ from its id's.
    let margin: Int64
    let clock: VerifierClock
    /// Milliseconds since 1970.
    let deadline: Int64

    /// - Parameters:
    ///   - ids: ascending.
    ///   - take: gets the traces that came together; says whether it wants more.
    /// - Throws: `GatewayError` if a trace cannot be read; what `take` throws.
    func run(
        _ ids: [InsertionID], detail: TraceQuery.Detail, observations: Bool, take: ([TraceRow]) async throws -> Bool
    ) async throws {
        var size = PageSize()
        var whole: Set<String> = []
        var end = ids.count
        while end > 0 {
            let batch = Array(ids[max(end - identity.mostIDs, 0)..<end])
            end -= batch.count
            var query = TraceQuery(.ids(batch), window: TimeWindow(of: batch, margin: margin), detail: detail, observations: observations)
            query.wholeMetadata = whole
            guard try await fetch(&query, Set(batch), &size, take) else { return }
            whole = query.wholeMetadata
        }
    }

    /// Fetches one batch. Returns false if no more is wanted.
    private func fetch(
        _ query: inout TraceQuery, _ ids: Set<InsertionID>, _ size: inout PageSize, _ take: ([TraceRow]) async throws -> Bool
    ) async throws -> Bool {
        var missing = ids
        var cursor: TraceCursor?
        var pauses = BackOff(first: .seconds(1))
        var repetitions = 0
        while true {
            let (page, failure) = await ask(query, cursor, size.rows)
            try Task.checkCancellation()
            if let page {
                size.learn(rows: page.rows.count, bytes: page.bytes)
                // The same page once more, when something of it was cut.
                if let wider = query.wholeMetadata.widened(by: page.cutMetadata, most: Self.mostWholeMetadata) {
                    query.wholeMetadata = wider
                    continue
                }
                let fresh = page.rows.filter { row in row.ids.reduce(false) { missing.remove($1) != nil || $0 } }
                if !fresh.isEmpty, try await !take(fresh) { return false }
                if missing.isEmpty { return true }
                cursor = page.next
                if cursor != nil { continue }
            }
            if failure == .tooLarge || failure == .tooSlow, size.halve() {
                cursor = cursor?.resized
                continue
            }
            cursor = nil
            repetitions += 1
            if failure == .cursorLost, repetitions == 1 { continue }
            try await pause(after: failure, repetitions, missing, &pauses)
        }
    }

    private func ask(_ query: TraceQuery, _ cursor: TraceCursor?, _ limit: Int) async -> (TracePage?, TraceSourceError?) {
        do throws(TraceSourceError) { return (try await source.page(query, after: cursor, limit: limit), nil) } catch { return (nil, error) }
    }

    private func pause(
        after failure: TraceSourceError?, _ repetitions: Int, _ missing: Set<InsertionID>, _ pauses: inout BackOff
    ) async throws {
        var pause = pauses.take()
        switch failure {
        case .rateLimited(let time): pause = time
        case .refused(let reason): throw GatewayError.storeUnavailable(reason)
        default: break
        }
        let isOver = repetitions > Self.mostRepetitions || clock.now() + Int64(pause / .milliseconds(1)) > deadline
        if isOver { throw GatewayError.storeUnavailable(failure?.description ?? "it does not show \(missing.count) traces that it has shown before") }
        try await clock.sleep(pause)
    }
}

extension Set<String> {
    /// With others added, in their order, as far as there is room; nil if nothing is new.
    fileprivate func widened(by others: Set<String>, most: Int) -> Self? {
        let new = others.subtracting(self).sorted().prefix(most - count)
        return new.isEmpty ? nil : union(new)
    }
}

extension GatewayError {
    /// The trace store cannot be asked.
    static func storeUnavailable(_ reason: String) -> Self {
        Self(
            status: 502, type: "api_error", code: "trace_store_unavailable",
            message: "The trace store could not be asked: \(reason). Try again later.", retryAfter: 10, shouldRetry: true)
    }
}
