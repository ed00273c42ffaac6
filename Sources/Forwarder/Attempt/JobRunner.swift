internal import Common
internal import Logging
internal import Queue
internal import Upstream

/// Works on one delivery: opens it, makes the call, sends the answer, ends the job. Whatever happens, the job ends once or goes to another forwarder.
struct JobRunner: Sendable {
    /// The providers, as they are now.
    let directory: @Sendable () -> ProviderDirectory
    let upstream: any UpstreamClient
    let sender: AnswerSender
    let envelope: Envelope
    let check: JobCheck
    let maxAttempts: Int
    /// How long bytes of an answer may lie here before they are sent (`FLUSH_INTERVAL_MS`).
    let flushInterval: Duration
    /// Whether completions of a project are traced.
    var isTraced: @Sendable (_ project: String) -> Bool = { _ in true }
    var spanTextBytes = SpanLimits.spanText
    let logger: Logger

    func run(_ delivery: consuming Delivery, control: CallControl) async {
        var job: Job
        do { job = try delivery.takeJob(opening: envelope) } catch {
            return await sender.reject(delivery, because: error, control: control)
        }
        var span = isTraced(job.project) ? CompletionSpan(job, textBytes: spanTextBytes) : nil
        if control.stop == .cancelled { return await drop(job, delivery, span, control) }
        if let refusal = await check.refusal(of: job, delivery, control) {
            return await sender.finish(
                job, in: delivery, with: refusal.frame, succeeded: false, span: span?.failed(refusal.error),
                deadLetterReason: refusal.deadLetterReason, control: control)
        }
        do {
            let target = try directory().resolve(job, isTraced: span != nil)
            // The request has all that is sent; while the call runs there need not be two of it.
            job.body = []
            span?.sends(target)
            if target.isTracedByBackend { span = nil }
            try await call(target, for: job, in: delivery, span: span, control: control)
        } catch let error as GatewayError {
            await fail(job, delivery, span, with: error, control)
        } catch let broken as BrokenOff {
            let error = GatewayError(upstream: broken.error)
            var relay = broken.relay
            let frame = relay.last(error)
            await sender.finish(job, in: delivery, with: frame, succeeded: false, span: span?.failed(error), control: control)
        } catch is Stopped {
            await stopped(job, delivery, span, control)
        } catch is AnswerSender.LostOwnership {
            logger.notice("job was taken over while it ran here; the call was dropped", metadata: ["insertion_id": "\(job.insertionID)"])
        } catch {
            logger.error("job failed", metadata: ["insertion_id": "\(job.insertionID)", "error": "\(error.kind)"])
            await fail(job, delivery, span, with: .forwarderFailed, control)
        }
    }

    /// A call that was ended from outside, for the reason that its control gives.
    struct Stopped: Error {}

    /// An answer that ended after part of it was sent.
    struct BrokenOff: Error {
        var error: UpstreamError
        /// Has what of the answer waits for its end.
        var relay: Relay
    }
}

extension JobRunner {
    /// The job is not wanted: nobody is answered, but whoever fetches it later.
    private func drop(_ job: Job, _ delivery: Delivery, _ span: CompletionSpan?, _ control: CallControl) async {
        let frame = job.isFetchable ? ResponseFrame(lastWord: .cancelled) : nil
        await sender.finish(job, in: delivery, with: frame, succeeded: false, span: span?.failed(.cancelled), control: control)
    }

    private func fail(_ job: Job, _ delivery: Delivery, _ span: CompletionSpan?, with error: GatewayError, _ control: CallControl) async {
        await sender.finish(
            job, in: delivery, with: ResponseFrame(refusal: error), succeeded: false, span: span?.failed(error), control: control)
    }

    private func stopped(_ job: Job, _ delivery: Delivery, _ span: CompletionSpan?, _ control: CallControl) async {
        switch control.stop {
        case .released: await sender.release(delivery)
        case .cancelled, nil: await drop(job, delivery, span, control)
        }
    }

    /// Makes the call, again if it could not be made, and sends what comes.
    private func call(
        _ target: Target, for job: Job, in delivery: Delivery, span: CompletionSpan?, control: CallControl
    ) async throws {
        var attempts = Attempts(limit: maxAttempts, mayRepeat: target.repeatsOnClosedConnection)
        while true {
            guard control.stop == nil else { throw Stopped() }
            let remaining = job.remaining()
            guard remaining > .zero else { throw attempts.expired }
            var request = target.request
            request.timeouts.total = min(request.timeouts.total, remaining)
            request.connections.mustBeFresh = attempts.hasRepeated
            do {
                return try await upstream.withCall(request) { call in
                    try await pass(call, of: target, on: job, in: delivery, span: span, control: control)
                }
            } catch let error as UpstreamError {
                guard control.stop == nil else { throw Stopped() }
                switch attempts.failed(error, remaining: job.remaining()) {
                case .giveUp(let error): throw error
                case .retry(let pause): try? await Task.sleep(for: pause)
                case .repeatOnFresh: noteRepetition(of: job, to: target, span)
                }
            }
        }
    }

    private func noteRepetition(of job: Job, to target: Target, _ span: CompletionSpan?) {
        span?.isRepeated = true
        logger.notice(
            "the provider closed a kept connection unanswered; the call is repeated on a new one, perhaps paid twice",
            metadata: ["insertion_id": "\(job.insertionID)", "provider": "\(target.provider)"])
    }
}

extension GatewayError {
    fileprivate static let forwarderFailed = GatewayError(
        status: 500, type: "server_error", code: "internal_error",
        message: "The forwarder failed. Its log has the cause under this answer's x-insertion-id.", shouldRetry: false)
}
