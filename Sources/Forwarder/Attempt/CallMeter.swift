internal import Common
internal import CoreMetrics
internal import NIOCore
internal import Queue
internal import Upstream

/// The measurements of one job: its wait, its calls and its end. It lives on the job's event loop, as long as the job
/// is worked on here.
final class CallMeter {
    private let metrics: ForwarderMetrics
    private var provider: ProviderMetrics?
    private var target: TargetMetrics?
    private var model = ""
    /// The time at which the present call was made.
    private var began = NIODeadline.now()
    private var firstPiece: NIODeadline?
    private var status = 0
    private var isStream = false
    /// The usage that the provider states for the answer.
    var usage: TokenUsage?
    /// The gateway's own error, if the job ends with one.
    var error: GatewayError?

    init(_ metrics: ForwarderMetrics, of job: Job, now: Timestamp = .now) {
        self.metrics = metrics
        metrics.jobsInFlight.increment()
        metrics.queueWait.recordMilliseconds(Int64(clamping: now.milliseconds(since: job.insertionID.time)))
    }

    deinit { metrics.jobsInFlight.decrement() }

    /// Notes that the next call is made.
    func calls(_ plan: CallPlan) {
        if let failed = plan.failures.last { countFailure(failed.failure, isSameTarget: plan.model == model) }
        (began, firstPiece, status, isStream) = (.now(), nil, 0, false)
        let target = plan.target
        guard provider?.name != target.provider || model != plan.model else { return }
        model = plan.model
        let provider = metrics.provider(target.provider)
        self.provider = provider
        self.target = metrics.target(provider, model: model, isNamedByRule: plan.routed?.isNamedByRule ?? false)
    }

    func hears(_ event: UpstreamEvent) {
        switch event {
        case .head(let head): (status, isStream) = (head.status, head.isEventStream)
        case .piece: if firstPiece == nil { firstPiece = .now() }
        case .end: return
        }
    }

    /// Notes the end of the job.
    /// - Parameter stop: the reason why the call was ended from outside.
    func ends(_ job: Job, _ ending: ResponseSender.Ending, stop: CallControl.Stop?) {
        // A call whose time is over is ended like an unwanted one, but counts as failed.
        let isCancelled = stop == .cancelled && job.remaining() > .zero
        let outcome: ForwarderMetrics.Outcome =
            if ending.succeeded {
                .succeeded
            } else if ending.deadLetterReason != nil {
                .deadLettered
            } else {
                isCancelled ? .cancelled : .failed
            }
        if let error { metrics.count(error: error.code) }
        metrics.count(job, outcome)
        target?.countEnd(outcome)
        guard let target, !isCancelled else { return }
        provider?.countAttempt(result(ending.succeeded))
        let now = NIODeadline.now()
        target.duration.recordNanoseconds((now - began).nanoseconds)
        if let input = usage?.input { target.inputTokens.increment(by: input) }
        if let output = usage?.output { target.outputTokens.increment(by: output) }
        guard isStream, let firstPiece else { return }
        target.firstToken.recordNanoseconds((firstPiece - began).nanoseconds)
        guard ending.succeeded, let output = usage?.output, output > 1 else { return }
        target.betweenTokens.recordNanoseconds((now - firstPiece).nanoseconds / Int64(output - 1))
    }

    /// Notes that the job was handed back.
    func releases(_ job: Job) {
        metrics.count(job, .released)
        target?.countEnd(.released)
    }

    /// The result of the last call. An answer with a status of success may have been broken off.
    private func result(_ succeeded: Bool) -> String {
        if status >= 400 || succeeded && status > 0 { return AttemptResult.status(status) }
        return error.flatMap { AttemptResult.failure($0.code) } ?? "broken_off"
    }

    private func countFailure(_ failure: Route.Failure, isSameTarget: Bool) {
        if case .status(let status) = failure {
            provider?.countAttempt(AttemptResult.status(status))
        } else {
            provider?.countAttempt(failure.word)
        }
        if isSameTarget { provider?.retries.increment() } else { provider?.fallbacks.increment() }
    }
}
