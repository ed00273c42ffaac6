internal import Common
internal import Queue
internal import Upstream

extension VerificationRunner {
    /// Bytes that are collected before they are sent.
    static let pieceSize = 64 << 10

    /// `/traces`: the rollout is checked first, for every query; only a complete one is answered.
    func answerTraces(
        _ query: TracesQuery, of question: Question, to sink: EventSink,
        progress: @escaping @Sendable (Verdict) async -> Void
    ) async throws {
        let patience = WaitPolicy(
            deadline: question.deadline - Self.answerMargin, attempts: query.maxRetries + 1, firstPause: .seconds(1))
        let verdict = try await verify(query.rollout, patience: patience, progress: progress)
        guard let verdict else { throw GatewayError.rolloutNotFound(query.rollout.name) }
        if verdict.isLoss { return try await sendLoss(verdict, sink) }
        if verdict.kind == .unknown { throw GatewayError.storeUnavailable(verdict.reason ?? "") }
        guard verdict.kind == .complete, verdict.expected > 0 else { return try await sendIncomplete(verdict, sink) }
        try await sendTraces(query, verdict: verdict, of: question, to: sink)
    }

    /// 404, as from eval-protocol's gateway, with the verdict beside the error.
    private func sendIncomplete(_ verdict: Verdict, _ sink: EventSink) async throws {
        let error = GatewayError(
            status: 404, type: "invalid_request_error",
            code: verdict.expected == 0 ? "rollout_without_traces" : "rollout_incomplete",
            message: verdict.explanation, param: "tags", shouldRetry: true)
        var body = Array(error.json.dropLast())
        body += Array(#","verdict":"#.utf8) + verdict.json + Array("}".utf8)
        try await sink.send(404, [HeaderField("retry-after", "5"), HeaderField("x-should-retry", "true")], json: body)
    }

    /// 404 that does not ask for a repetition: what Redis has lost does not come back.
    private func sendLoss(_ verdict: Verdict, _ sink: EventSink) async throws {
        let error = GatewayError(
            status: 404, type: "invalid_request_error", code: "rollout_lost", message: "\(verdict.reason ?? "").",
            param: "tags", shouldRetry: false)
        let body = Array(error.json.dropLast()) + Array(#","verdict":"#.utf8) + verdict.json + Array("}".utf8)
        try await sink.send(404, [HeaderField("x-should-retry", "false")], json: body)
    }

    private func sendTraces(
        _ query: TracesQuery, verdict: Verdict, of question: Question, to sink: EventSink
    ) async throws {
        let (source, slot) = try await takeStore(for: question)
        defer { slot.leave() }
        let fetch = TraceFetch(
            source: source, identity: options.identity,
            margin: options.identity.margin(requestTimeout: options.requestTimeout), clock: clock, slot: slot,
            deadline: question.deadline)
        let ids = try await chosen(query, verdict: verdict, fetch: fetch)
        var writer = TraceWriter(members: query.members)
        var out = writer.head(project: question.project, total: ids.count)
        try await fetch.run(ids, of: query.members) { rows in
            // Not before the store has shown that it answers: an error has a status of its own until then.
            if !sink.hasBegun { try await sink.begin(Self.tracesHead) }
            for row in rows {
                writer.append(row, to: &out)
                guard out.count >= Self.pieceSize else { continue }
                try await sink.write(out)
                out.removeAll(keepingCapacity: true)
            }
            return true
        }
        if !sink.hasBegun { try await sink.begin(Self.tracesHead) }
        try await sink.write(out + writer.tail)
    }

    /// `/traces/completion`: the trace of `insertion_id`, or none, as the store has it now. Its rollout may still run:
    /// this is for people, who look at one call, and no verdict depends on it.
    func answerTrace(
        _ id: InsertionID, query: TracesQuery, of question: Question, to sink: EventSink
    ) async throws {
        let (source, slot) = try await takeStore(for: question)
        defer { slot.leave() }
        let margin = options.identity.margin(requestTimeout: options.requestTimeout)
        var storeQuery = StoreQuery(
            .ids([id]), window: TimeWindow(of: [id], margin: margin), detail: query.members.detail,
            observations: query.members.needsObservations)
        storeQuery.scores = query.members.contains(.scores)
        storeQuery.wholeMetadata = [UTF8Text(StoredMetadata.attributes)]
        storeQuery.timeout = .milliseconds(Self.shortest)
        let rows: [FetchedTrace]
        do throws(TraceSourceError) { rows = try await source.page(storeQuery, after: nil, limit: 10).rows } catch {
            throw if case .refused(let reason) = error { GatewayError.storeRefused(reason) } else {
                GatewayError.storeUnavailable(error.description)
            }
        }
        let found = rows.first { $0.ids.contains(id) }
        var writer = TraceWriter(members: query.members)
        var out = writer.head(project: question.project, total: found == nil ? 0 : 1)
        if let found { writer.append(found, to: &out) }
        try await sink.begin(Self.tracesHead)
        try await sink.write(out + writer.tail)
    }

    /// The trace store of a question's project, and a permit to ask it, which the caller gives back.
    private func takeStore(for question: Question) async throws -> (source: any TraceSource, slot: QuestionSlot) {
        guard let source = source(of: question.project) else {
            throw GatewayError.storeRefused("the project has no langfuse_keys")
        }
        let slot = capacity.answerSlot(for: question.project)
        let left = question.deadline - Self.answerMargin - clock.steady()
        do {
            guard await slot.take(within: .milliseconds(max(left, 0)), by: clock) else {
                throw GatewayError.verifierBusy
            }
            try Task.checkCancellation()
        } catch {
            slot.leave()
            throw error
        }
        return (source, slot)
    }

    private static let tracesHead = UpstreamHead(
        status: 200, headers: [HeaderField("content-type", "application/json")])

    /// The ids of the traces that the answer shall hold, ascending. Their number is the answer's `total_traces`.
    private func chosen(
        _ query: TracesQuery, verdict: Verdict, fetch: TraceFetch
    ) async throws -> [InsertionID] {
        let reading = try await reader.read(verdict.rollout, failed: verdict.failed)
        try Task.checkCancellation()
        var ids = reading.ids
        if ids.count != verdict.expected {
            // Completions that were added since the verdict are none of its traces.
            let pending = Set(reading.pending)
            ids.removeAll { pending.contains($0) }
        }
        ids.removeAll { !query.includes($0) }
        if query.filter.isOpen {
            ids = Array(ids.suffix(query.limit))
        } else {
            ids = try await filtered(ids, by: query.filter, limit: query.limit, fetch: fetch)
        }
        guard let size = query.sampleSize, size < ids.count else { return ids }
        return ids.shuffled().prefix(size).sorted()
    }

    /// The newest ids whose traces pass a filter.
    private func filtered(
        _ ids: [InsertionID], by filter: TraceFilter, limit: Int, fetch: TraceFetch
    ) async throws -> [InsertionID] {
        let wanted = Set(ids)
        var passed: Set<InsertionID> = []
        try await fetch.run(ids, of: .head) { rows in
            for row in rows where filter.matches(row.head) { passed.formUnion(row.ids.filter(wanted.contains)) }
            return passed.count < limit
        }
        return Array(passed.sorted().suffix(limit))
    }
}

extension Verdict {
    /// The reason why the traces are not given out.
    fileprivate var explanation: String {
        guard expected > 0 else {
            return
                "Rollout `\(rollout.name)` has no traces to give: none of its completions has succeeded, and \(failed) have failed."
        }
        let ids =
            missing.isEmpty
            ? "" : " Missing: \(missing.prefix(10).joined(separator: ", "))\(missingCount > 10 ? ", …" : "")."
        return
            "Rollout `\(rollout.name)` is not complete: of \(expected) completions \(traced) are traced, \(inFlight) are in flight and \(missingCount) are missing; "
            + "\(failed) have failed.\(ids) Ask again later."
    }
}
