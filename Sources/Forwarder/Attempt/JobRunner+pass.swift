internal import Common
internal import Queue
internal import Upstream

extension JobRunner {
    /// Passes an answer on as it comes, and ends its job. A short one that comes at once leaves as a single frame,
    /// together with the end of its job.
    func pass(
        _ call: any UpstreamCall, of target: Target, on job: Job, in delivery: Delivery, span: CompletionSpan?, control: CallControl
    ) async throws {
        let head = try await call.head()
        span?.begins(head)
        let succeeds = (200..<300).contains(head.status)
        // Whatever the answer's content type is: only in a stream is there an event to take out.
        var filter = target.hidesUsage && succeeds ? UsageEventFilter() : nil
        var check = succeeds && job.path == Provider.chatCompletions ? CompletionCheck() : nil
        var sent = 0
        var relay = Relay(head: UpstreamHead(status: head.status, headers: AnswerHeaders.select(from: head.headers)))
        let minimum = Relay.minimum(for: head, isStream: job.isStream, window: job.window)
        do {
            while let piece = try await call.next(minimum: minimum, patience: flushInterval) {
                span?.take(piece.bytes)
                let shown = filter?.pass(piece.bytes) ?? piece.bytes
                if shown.isEmpty { continue }
                check?.take(shown)
                // A client in this process would take its stream for complete with this.
                let completes = control.isLocal && hasEveryChoice(check, of: target, within: .max)
                // The rest of an answer that is no stream waits for the word that it ended well, to leave with it.
                for frame in relay.take(shown, isWhole: piece.isRest && (piece.bytes.count < minimum || completes)) {
                    try await sender.send(frame, of: job, in: delivery, isConfirmed: completes, control: control)
                    sent += frame.body.count
                    await control.waitForCredit(sent - job.window, atMost: job.remaining())
                    guard control.stop == nil else { throw Stopped() }
                }
            }
        } catch  where hasWholeAnswer(check, of: target, sent: sent + relay.heldBytes, control) {
            // The call ended too early, and nothing of the answer is missing.
        } catch let error as UpstreamError {
            guard control.stop == nil, relay.hasBegun else { throw error }
            throw BrokenOff(error: error, relay: relay)
        }
        if let rest = filter?.end(), !rest.isEmpty {
            check?.take(rest)
            relay.hold(rest)
        }
        let failure = check?.end()
        await sender.finish(
            job, in: delivery, with: relay.last(), of: relay.head, succeeded: succeeds && failure == nil,
            span: span?.answered(failure), control: control)
    }

    /// Whether the client has all of a stream whose call ended early: it left, the process stops, or the provider broke off behind the end.
    /// - Parameter sent: bytes of the answer that have left for the client, or will with the end.
    private func hasWholeAnswer(_ check: CompletionCheck?, of target: Target, sent: Int, _ control: CallControl) -> Bool {
        guard let check else { return false }
        // Without the word of a client that left, only the end itself counts: more of the stream may be wanted.
        guard let handedOver = control.handedOver else { return check.isWhole(within: sent, choices: .max) }
        return hasEveryChoice(check, of: target, within: handedOver)
    }

    /// Whether so many bytes of a stream hold the end of each choice that was asked for.
    private func hasEveryChoice(_ check: CompletionCheck?, of target: Target, within count: Int) -> Bool {
        check?.isWhole(within: count, choices: SpanRequest.choices(in: target.request.body)) ?? false
    }
}
