internal import Common
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Queue
internal import Upstream

/// Opens one delivery, makes the call, sends the answer. The job always ends once, or goes to another forwarder.
struct JobRunner: Sendable {
    /// The providers, as they are now.
    let directory: @Sendable () -> ProviderDirectory
    let upstream: any UpstreamClient
    /// The models that the default provider lists; nil if it is never asked.
    var models: ModelListCache?
    /// The members that providers have refused before.
    var refused = RefusedMembers()
    let sender: ResponseSender
    let envelope: Envelope
    let check: JobCheck
    let limits: CallLimits
    /// Whether completions of a project are traced.
    var isTraced: @Sendable (_ project: String) -> Bool = { _ in true }
    var spanTextBytes = SpanLimits.spanText
    /// Whether this process's own trace store takes the spans. Otherwise the spans are OTLP/JSON, which exporters of
    /// version 0.1.0 can send too.
    var writesCompactSpans: @Sendable () -> Bool = { false }
    /// Whether requests are logged (`REQUEST_LOG`).
    var logsRequests = false
    /// The counters of jobs and calls; nil: nothing is counted.
    var metrics: ForwarderMetrics?
    let logger: Logger
    private let contents = SpanContents()

    /// Starts to work on a delivery, on the event loop of a client in this process, or on any.
    /// - Parameter done: is called when the job is over here.
    func start(_ delivery: consuming Delivery, control: CallControl, done: @escaping @Sendable () -> Void) {
        let eventLoop = control.client?.eventLoop ?? MultiThreadedEventLoopGroup.singleton.next()
        if eventLoop.inEventLoop { return open(delivery, control: control, on: eventLoop, done: done) }
        let parcel = NIOLoopBoundBox.makeBoxSendingValue(delivery, eventLoop: eventLoop)
        eventLoop.execute { open(parcel.value, control: control, on: eventLoop, done: done) }
    }

    private func open(
        _ taken: Delivery, control: CallControl, on eventLoop: any EventLoop, done: @escaping @Sendable () -> Void
    ) {
        var delivery = taken
        let job: Job
        do { job = try delivery.takeJob(opening: envelope) } catch {
            return sender.reject(delivery, because: error, control: control, on: eventLoop, completion: done)
        }
        var steps = DeliverySteps(
            sender: sender, job: job.withoutBody, delivery: delivery, control: control, eventLoop: eventLoop,
            meter: metrics.map { CallMeter($0, of: job) })
        let span = span(of: job)
        steps.isRecord = span?.isRecord ?? false
        span?.summary?.lostCalls = max(delivery.count - 1, 0)
        let opened = OpenedJob(job: job, span: span, steps: steps, done: done)
        if control.stop == .cancelled { return drop(opened) }
        guard delivery.isTakenOver else {
            if let refusal = check.refusal(of: job, delivery) { return refuse(opened, because: refusal) }
            return call(opened)
        }
        let bound = NIOLoopBound(opened, eventLoop: eventLoop)
        check.refusal(of: job, delivery, control, on: eventLoop) { refusal in
            if let refusal { refuse(bound.value, because: refusal) } else { call(bound.value) }
        }
    }

    /// The job's trace, or else its record for the request log; nil if there is neither.
    private func span(of job: Job) -> CompletionSpan? {
        let span =
            isTraced(job.project)
            ? CompletionSpan(
                job, textBytes: spanTextBytes, isCompact: writesCompactSpans(),
                content: contents.content(for: job.logging), isLogged: logsRequests)
            : nil
        return span ?? (logsRequests ? CompletionSpan(recordOf: job) : nil)
    }

    private func call(_ opened: OpenedJob) {
        let directory = directory()
        guard let models, let (model, request) = directory.listRequest(for: opened.job) else {
            return call(opened, in: directory, listed: nil)
        }
        let eventLoop = opened.steps.eventLoop
        let bound = NIOLoopBound(opened, eventLoop: eventLoop)
        models.find(model, asking: request, on: eventLoop) { listed in
            let opened = bound.value
            if opened.steps.control.stop == .cancelled { return drop(opened) }
            call(opened, in: directory, listed: listed)
        }
    }

    /// - Parameter listed: the default provider's models, if they decide where the job goes.
    private func call(_ opened: OpenedJob, in directory: ProviderDirectory, listed: ListedModels?) {
        let job = opened.job
        var (span, steps) = (opened.span, opened.steps)
        let target: Target
        let isTraced = span.map { !$0.isRecord } ?? false
        let needsUsage = isTraced || job.charges.contains(where: \.isSettled)
        let asked = job.model
        // A rule's target names its provider.
        let resolve = { [refused] (job: Job) throws(GatewayError) -> Target in
            refused.accepted(
                try directory.resolve(job, isTraced: needsUsage, listed: job.model == asked ? listed : nil))
        }
        var routed = RoutedJob(job, resolve: resolve)
        do throws(GatewayError) {
            if let first = try routed?.target() {
                target = first
            } else {
                target = try resolve(job)
            }
        } catch {
            steps.meter?.error = error
            return steps.finish(
                .init(
                    ResponseFrame(refusal: error), succeeded: false, span: span?.failed(error), spent: steps.spentBefore
                ),
                completion: opened.done)
        }
        steps.isTracedByBackend = target.isTracedByBackend
        if target.isTracedByBackend {
            if logsRequests { span?.becomeRecord() } else { span = nil }
            steps.isRecord = span != nil
        }
        span?.recordRequest(target)
        let call = Call(
            steps.job, to: target, routed: routed, span: span, steps: steps,
            by: TargetCaller(upstream: upstream, refused: refused, logger: logger), limits: limits,
            mayHaveReached: steps.delivery.isTakenOver, on: steps.eventLoop,
            logger: logger, done: opened.done)
        let bound = NIOLoopBound(call, eventLoop: steps.eventLoop)
        steps.control.onEnd { [eventLoop = steps.eventLoop] in eventLoop.execute { bound.value.stop() } }
        call.begin()
    }

    /// Ends a job that is not wanted any longer. Only a client that fetches it later gets an answer.
    private func drop(_ opened: OpenedJob) {
        let (job, steps) = (opened.job, opened.steps)
        let frame = job.isFetchable ? ResponseFrame(lastWord: .cancelled) : nil
        // An ingress calls off a job that has had no answer in time.
        let expired: GatewayError = steps.delivery.isTakenOver ? .expiredAgain : .expired
        let error = job.remaining() > .zero ? .cancelled : expired
        steps.finish(
            .init(frame, succeeded: false, span: opened.span?.failed(error), spent: steps.spentBefore),
            completion: opened.done)
    }

    private func refuse(_ opened: OpenedJob, because refusal: JobCheck.Refusal) {
        let steps = opened.steps
        if refusal.deadLetterReason != nil { opened.span?.summary?.ending = "dead_lettered" }
        steps.meter?.error = refusal.error
        steps.finish(
            .init(
                refusal.frame, succeeded: false, span: opened.span?.failed(refusal.error),
                deadLetterReason: refusal.deadLetterReason, spent: steps.spentBefore),
            completion: opened.done)
    }
}

/// A job that a forwarder has opened, with what its ending needs.
private struct OpenedJob {
    let job: Job
    /// Its trace, or else its record for the request log; nil if there is neither.
    let span: CompletionSpan?
    let steps: DeliverySteps
    /// Is called when the job is over here.
    let done: @Sendable () -> Void
}
