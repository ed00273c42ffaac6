internal import Common
internal import Logging

/// Sends one project's spans to its trace store, and settles what became of them.
struct SpanSender: Sendable {
    let outbox: SpanOutbox
    let destinations: TraceDestinations
    let upstream: any UpstreamClient
    let envelope: Envelope
    let timeout: Duration
    let logger: Logger

    /// Sends what the lane has taken, as far as the trace store takes it.
    /// - Returns: the lane as it is then.
    func send(_ lane: ExportLane) async -> ExportLane {
        var lane = lane
        lane.wasFull = lane.waiting.count >= ExportBatch.maximumCount
        guard let destination = destinations[lane.project] else {
            lane.failed(after: nil, now: .now, spread: .random(in: 0...1))
            return lane
        }
        do throws(RedisError) {
            while !lane.waiting.isEmpty {
                let entries = Array(lane.waiting.prefix(ExportBatch.fitting(lane.waiting)))
                let batch = try await batch(of: entries)
                if batch.count > 0, let trouble = try await send(batch, to: destination, of: lane.project) {
                    let reason = report(trouble, &lane)
                    try? await outbox.note(trouble: reason)
                    return lane
                }
                lane.succeeded()
                lane.waiting.removeFirst(entries.count)
            }
        } catch {
            // What is not settled stays in the lane, and is sent again.
            lane.failed(after: nil, now: .now, spread: 0)
            logger.debug("outbox interrupted", metadata: ["error": "\(error)"])
        }
        return lane
    }

    /// Opens the spans. One that is not kept any longer or does not open is settled at once: nobody can send it.
    private func batch(of entries: [SpanOutbox.Entry]) async throws(RedisError) -> ExportBatch {
        var batch = ExportBatch()
        var lost: [SpanOutbox.Entry] = []
        for (entry, sealed) in zip(entries, try await outbox.spans(of: entries)) {
            guard let id = entry.id, let sealed, let span = try? envelope.open(sealed, for: .span(id)) else {
                lost.append(entry)
                continue
            }
            batch.entries.append(entry)
            batch.spans.append(span)
        }
        if !lost.isEmpty {
            logger.error(
                "traces are lost: they waited longer than OUTBOX_MAX_AGE_SECONDS, or were damaged in Redis",
                metadata: ["project": "\(lost[0].project)", "spans": "\(lost.count)", "first": "\(lost[0].id.map(\.description) ?? "?")"])
            try await outbox.settle(lost)
        }
        return batch
    }

    /// Sends a batch; in halves if something in it is wrong, down to the span that is.
    /// - Returns: why the trace store takes nothing now; nil if all is settled.
    private func send(
        _ batch: ExportBatch, to destination: TraceDestination, of project: String
    ) async throws(RedisError) -> ExportOutcome? {
        let outcome = await post(batch.body, to: destination)
        switch outcome {
        case .accepted:
            try await outbox.settle(batch.entries)
            return nil
        case .malformed where batch.count > 1:
            let (first, second) = batch.halves
            if let trouble = try await send(first, to: destination, of: project) { return trouble }
            return try await send(second, to: destination, of: project)
        case .malformed(let reason):
            logger.error(
                "the trace store does not take a trace; it is given up",
                metadata: ["project": "\(project)", "insertion_id": "\(batch.entries[0].id.map(\.description) ?? "?")", "reason": "\(reason)"])
            // Not kept: sent again it would be refused again.
            try await outbox.settle(batch.entries, keptFor: .zero)
            return nil
        case .refused, .later: return outcome
        }
    }

    private func post(_ body: [UInt8], to destination: TraceDestination) async -> ExportOutcome {
        guard let compressed = Gzip.compress(body) else { return .later("no memory", after: nil) }
        let request = UpstreamRequest(
            method: "POST", url: destination.host.text + "/api/public/otel/v1/traces",
            headers: [
                HeaderField("authorization", destination.authorization.reveal()),
                HeaderField("content-type", "application/json"), HeaderField("content-encoding", "gzip"),
                // Else the spans are to be seen only minutes later, on servers that write both of Langfuse's tables.
                HeaderField("x-langfuse-ingestion-version", "4"),
            ],
            body: compressed, timeouts: UpstreamTimeouts(idle: timeout, total: timeout))
        do {
            return ExportOutcome(try await upstream.withCall(request) { try await $0.head() })
        } catch let error as UpstreamError {
            return ExportOutcome(error)
        } catch {
            return .later("\(error)", after: nil)
        }
    }

    /// - Returns: why the trace store takes nothing.
    private func report(_ trouble: ExportOutcome, _ lane: inout ExportLane) -> String {
        let reason: String
        switch trouble {
        case .later(let text, let after):
            reason = text
            lane.failed(after: after, now: .now, spread: .random(in: 0...1))
        case .refused(let text):
            reason = text + "; check the project's langfuse_keys and LANGFUSE_HOST"
            lane.refused(now: .now)
        case .accepted, .malformed: return ""
        }
        logger.warning("the trace store does not take traces; they wait", metadata: ["project": "\(lane.project)", "reason": "\(reason)"])
        return reason
    }
}
