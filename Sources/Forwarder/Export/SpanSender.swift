internal import Common
internal import Compression
internal import Logging
internal import NIOConcurrencyHelpers
internal import Queue
internal import Redis
internal import Upstream

/// Sends one project's spans to its trace store, and settles their entries in the outbox.
struct SpanSender: Sendable {
    /// The interval at which this exporter renews its hold on its entries, so that no other one takes them over.
    private static let holdsFor = Duration.seconds(20)

    let outbox: SpanOutbox
    let destinations: TraceDestinations
    let upstream: any UpstreamClient
    let envelope: Envelope
    /// Spans that need not be read back.
    var recent = RecentSpans()
    let timeout: Duration
    var metrics: ExportMetrics?
    let logger: Logger
    private let leftLog = SparseLog()
    private let remarkLog = SparseLog()

    /// Sends the backlog's entries, as far as the trace store takes them.
    /// - Returns: the backlog as it is afterwards.
    func send(_ backlog: ProjectBacklog) async -> ProjectBacklog {
        var backlog = backlog
        guard let destination = destinations[backlog.project] else {
            backlog.failed(after: nil, now: .now, spread: .random(in: 0...1))
            return backlog
        }
        var bisection = BatchBisection()
        var held = ContinuousClock.now
        do throws(RedisError) {
            while !backlog.waiting.isEmpty {
                if held.duration(to: .now) >= Self.holdsFor {
                    held = .now
                    try await outbox.hold(backlog.waiting)
                }
                var entries = Array(backlog.waiting.prefix(ExportBatch.fitting(backlog.waiting)))
                let (batch, left) = try await batch(of: entries)
                if !left.isEmpty {
                    // These are no longer the backlog's, even if the batch fails.
                    entries.removeAll { left.contains($0) }
                    backlog.waiting.removeAll { left.contains($0) }
                }
                if batch.count > 0, let trouble = try await send(batch, to: destination, &bisection) {
                    backlog.takeBack(bisection.suspects)
                    await rest(&backlog, trouble)
                    return backlog
                }
                backlog.waiting.removeFirst(entries.count)
                guard bisection.hasAccepted else { continue }
                backlog.succeeded()
                try await giveUp(bisection.suspects, of: backlog.project, bisection.reason)
                bisection.suspects = []
            }
            // Nothing shows that the trace store would take any other span.
            if !bisection.suspects.isEmpty {
                backlog.takeBack(bisection.suspects)
                await rest(&backlog, .refused(bisection.reason))
            }
        } catch {
            // Entries that are not settled stay in the backlog, and are sent again.
            backlog.takeBack(bisection.suspects)
            backlog.failed(after: nil, now: .now, spread: 0)
            logger.debug("outbox interrupted", metadata: ["error": "\(error)"])
        }
        return backlog
    }

    /// Makes a batch of entries: takes the spans that are at hand, and opens the others. A span that is not kept any
    /// longer or was damaged is settled at once, since it cannot be sent. A span that another exporter may be able to
    /// open is left for it, as long as spans may wait.
    private func batch(
        of entries: [SpanOutbox.Entry]
    ) async throws(RedisError) -> (batch: ExportBatch, left: [SpanOutbox.Entry]) {
        var batch = ExportBatch()
        var (lost, left): ([SpanOutbox.Entry], [SpanOutbox.Entry]) = ([], [])
        let atHand = entries.map { $0.id.flatMap(recent.take) }
        var readBack = try await outbox.spans(of: zip(entries, atHand).filter { $1 == nil }.map(\.0)).makeIterator()
        for (entry, span) in zip(entries, atHand) {
            do {
                guard let span = try span ?? opened(readBack.next()?.flatMap(\.self), of: entry) else {
                    lost.append(entry)
                    continue
                }
                batch.spans.append(try OutboxSpan(span))
                batch.entries.append(entry)
            } catch let error as EnvelopeError where error.isForOthers {
                left.append(entry)
            } catch {
                lost.append(entry)
            }
        }
        if !left.isEmpty {
            try await outbox.leave(left)
            if let count = leftLog.note(left.count) {
                logger.warning(
                    "left traces for exporters that can read them: a newer gateway wrote them, or one with another GATEWAY_KEY",
                    metadata: [
                        "project": "\(left[0].project)", "spans": "\(count)",
                        "first": "\(left[0].id.map(\.description) ?? "?")",
                    ])
            }
        }
        // Nothing is logged of entries that another exporter settled meanwhile, or that made room.
        if !lost.isEmpty, case let settled = try await outbox.settle(lost), settled > 0 {
            metrics?.lost(settled, .expired)
            logger.error(
                "traces are lost: they waited longer than OUTBOX_MAX_AGE_SECONDS, or were damaged in Redis",
                metadata: [
                    "project": "\(lost[0].project)", "spans": "\(settled)",
                    "first": "\(lost[0].id.map(\.description) ?? "?")",
                ])
        }
        return (batch, left)
    }

    private func opened(_ sealed: [UInt8]?, of entry: SpanOutbox.Entry) throws(EnvelopeError) -> [UInt8]? {
        guard let id = entry.id, let sealed else { return nil }
        return try envelope.open(sealed, for: .span(id))
    }

    /// Sends a batch. If something in it is wrong, it is sent in halves, down to the single spans that may be the
    /// cause.
    /// - Returns: the reason why the trace store takes nothing now; nil if all spans are settled or suspect.
    private func send(
        _ batch: ExportBatch, to destination: TraceDestination, _ bisection: inout BatchBisection
    ) async throws(RedisError) -> ExportOutcome? {
        let outcome: ExportOutcome
        let began = ContinuousClock.now
        if let store = destinations.store, let records = batch.records {
            outcome = await hand(records, of: batch.entries[0].project, to: store)
        } else {
            let body = batch.body
            guard body.count <= ExportBatch.maximumBytes || batch.count == 1 else {
                return try await sendHalves(of: batch, to: destination, &bisection)
            }
            outcome = await post(body, to: destination)
        }
        metrics?.sent(outcome, spans: batch.count, in: began.duration(to: .now))
        switch outcome {
        case .accepted:
            bisection.hasAccepted = true
            try await outbox.settle(batch.entries)
            return nil
        case .malformed(let reason):
            bisection.refused(reason)
            if bisection.isHopeless { return .refused(reason) }
            guard batch.count > 1 else {
                bisection.suspects += batch.entries
                return nil
            }
            return try await sendHalves(of: batch, to: destination, &bisection)
        case .refused, .later: return outcome
        }
    }

    private func sendHalves(
        of batch: ExportBatch, to destination: TraceDestination, _ bisection: inout BatchBisection
    ) async throws(RedisError) -> ExportOutcome? {
        let (first, second) = batch.halves
        if let trouble = try await send(first, to: destination, &bisection) { return trouble }
        return try await send(second, to: destination, &bisection)
    }

    /// Gives up spans that the trace store does not take, while it takes others.
    private func giveUp(_ entries: [SpanOutbox.Entry], of project: String, _ reason: String) async throws(RedisError) {
        for entry in entries {
            logger.error(
                "the trace store does not take a trace; it is given up",
                metadata: [
                    "project": "\(project)", "insertion_id": "\(entry.id.map(\.description) ?? "?")",
                    "reason": "\(reason)",
                ])
        }
        metrics?.lost(entries.count, .refused)
        // These spans are not kept: sent again, they would be refused again.
        try await outbox.settle(entries, keptFor: .zero)
    }

    /// Hands spans to the trace store in this process.
    private func hand(_ spans: [SpanRecord], of project: String, to store: any SpanStore) async -> ExportOutcome {
        await withTaskGroup(of: ExportOutcome?.self) { group in
            group.addTask { ExportOutcome(await store.store(spans, of: project)) }
            group.addTask { [timeout] in
                try? await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next().flatMap(\.self) ?? .later("it did not answer in time", after: nil)
        }
    }

    private func post(_ body: [UInt8], to destination: TraceDestination) async -> ExportOutcome {
        guard let compressed = Gzip.compress(body) else { return .later("no memory", after: nil) }
        let request = UpstreamRequest(
            method: "POST", url: destination.host.text + "/api/public/otel/v1/traces",
            headers: [
                HeaderField("authorization", destination.authorization.reveal()),
                HeaderField("content-type", "application/json"), HeaderField("content-encoding", "gzip"),
                // Without it, servers that write both of Langfuse's tables show the spans only minutes later.
                HeaderField("x-langfuse-ingestion-version", "4"),
            ],
            body: compressed, timeouts: UpstreamTimeouts(idle: timeout, total: timeout))
        do {
            return try await upstream.withCall(request) { call in
                let head = try await call.head()
                var body: [UInt8] = []
                while (200..<300).contains(head.status), body.count < ExportOutcome.mostBytes,
                    let piece = try await call.next(minimum: 1)
                { body += piece }
                let outcome = ExportOutcome(head, body)
                if outcome == .accepted { note(ExportAnswer(head, body), of: destination) }
                return outcome
            }
        } catch let error as UpstreamError {
            return ExportOutcome(error)
        } catch {
            return .later("\(error)", after: nil)
        }
    }

    /// Logs the remark of a trace store that took the spans. OTLP calls it a warning.
    private func note(_ answer: ExportAnswer, of destination: TraceDestination) {
        guard case .taken(let remark?) = answer, let count = remarkLog.note() else { return }
        logger.warning(
            "the trace store took the traces with a remark",
            metadata: ["host": "\(destination.host.text)", "remark": "\(remark)", "answers": "\(count)"])
    }

    /// Leaves the trace store alone for a while, and says why.
    private func rest(_ backlog: inout ProjectBacklog, _ trouble: ExportOutcome) async {
        // This process stops: a call that was broken off for that says nothing of the trace store.
        guard !Task.isCancelled else { return }
        let reason: String
        switch trouble {
        case .later(let text, let after):
            reason = text
            backlog.failed(after: after, now: .now, spread: .random(in: 0...1))
        case .refused(let text):
            reason = text + "; check the project's langfuse_keys and LANGFUSE_HOST"
            backlog.refused(now: .now)
        case .accepted, .malformed: return
        }
        logger.warning(
            "the trace store does not take traces; they wait",
            metadata: ["project": "\(backlog.project)", "reason": "\(reason)"])
        try? await outbox.note(trouble: reason)
    }
}

/// Spans of completions that have just ended in this process. Its exporter need not read them back from Redis and open
/// them. Spans that another exporter sends, or that cannot be sent for a while, give way; Redis has them.
final class RecentSpans: Sendable {
    /// The most bytes of spans that are kept, unless one alone is larger. Half of them are kept in any case: the spans
    /// that are collected (``ExportPace``) while as many are sent.
    static let maximumBytes = 8 << 20

    private struct State {
        var newer: [InsertionID: [UInt8]] = [:]
        var older: [InsertionID: [UInt8]] = [:]
        /// Of the newer ones.
        var bytes = 0
    }

    private let limit: Int
    private let state = NIOLockedValueBox(State())

    init(limit: Int = RecentSpans.maximumBytes) { self.limit = limit }

    /// Keeps a span that is in the outbox.
    /// - Parameter span: the span as it was before it was sealed.
    @Sendable func keep(_ span: [UInt8], of id: InsertionID) {
        state.withLockedValue { state in
            if state.bytes + span.count > limit / 2 {
                (state.older, state.newer, state.bytes) = (state.newer, [:], 0)
            }
            state.newer[id] = span
            state.bytes += span.count
        }
    }

    /// Returns a span, and forgets it; nil if it is not here.
    func take(_ id: InsertionID) -> [UInt8]? {
        state.withLockedValue { state in
            guard let span = state.newer.removeValue(forKey: id) else { return state.older.removeValue(forKey: id) }
            state.bytes -= span.count
            return span
        }
    }
}
