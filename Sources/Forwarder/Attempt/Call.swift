internal import Common
internal import Logging
internal import NIOCore
internal import Queue
internal import Upstream

/// One job's call: makes it, again if it could not be made, passes the answer on as it comes, and ends the job. A state
/// machine of callbacks on one event loop; every way out goes through ``end(_:)`` or ``handBack()``, and then
/// ``close()``, once.
final class Call {
    private enum Phase {
        /// A transfer runs.
        case calling
        /// The next one waits for its time.
        case pausing
        /// The job's last step is under way.
        case ending
        case over
    }

    /// Bytes that may wait here until the client or Redis takes those before them; then the provider waits.
    private static let capacity = 256 << 10

    private let job: Job
    /// The target of the call, and those that follow.
    private var plan: CallPlan
    private let span: CompletionSpan?
    private let steps: any CallSteps
    private let caller: TargetCaller
    private let limits: CallLimits
    private let eventLoop: any EventLoop
    private let logger: Logger
    /// Reads the usage of an answer without a span, if a limit on tokens needs it.
    private var collector: ResponseCollector?
    /// Whether anything of this attempt or an earlier one can have reached the provider.
    private var mayHaveReached: Bool {
        didSet { span?.countsTokens = mayHaveReached && countsTokens }
    }
    private let countsTokens: Bool

    private var phase = Phase.pausing
    private var transfer: (any UpstreamTransfer)?
    /// Timers for what is to happen to the transfer, or for the end of the pause.
    private var timers: [Scheduled<Void>] = []
    /// The time at which the present transfer began, by either clock.
    private var began = ContinuousClock.now
    private var beganAt = Timestamp.epoch
    private var answer: RelayedResponse?
    /// The part before the answer's content; nil if it is not looked into.
    private var preamble: Preamble?
    /// The time until which it may be held back; nil once a timer is set for that.
    private var holdEnds: ContinuousClock.Instant?
    /// Whether a stream had no content in the time that its client gives it.
    private var isLate = false
    /// Bytes that have come and were not cut into frames.
    private var pending: [UInt8] = []
    private var isRest = false
    /// Frames that wait to leave.
    private var frames = CircularBuffer<ResponseFrame>()
    private var isConfirmed = false
    /// The outcome of the transfer; nil while it runs.
    private var outcome: Result<Void, UpstreamError>?
    /// Bytes of the answer that have left for the client.
    private var sent = 0
    private var isSending = false
    private var lacksCredit = false
    private var isPaused = false
    /// A closure that is called once, when the job is over here.
    private var done: (@Sendable () -> Void)?

    /// - Parameters:
    ///   - job: the job without its body, which the target's request has.
    ///   - routed: the job at its first target, where the operator's rules have chosen it; nil: it has no other.
    ///   - span: the call's trace; nil if it has none.
    ///   - mayHaveReached: whether another forwarder may have made the call before.
    init(
        _ job: Job, to target: Target, routed: RoutedJob? = nil, span: CompletionSpan?, steps: any CallSteps,
        by caller: TargetCaller, limits: CallLimits, mayHaveReached: Bool = false, on eventLoop: any EventLoop,
        logger: Logger, done: @escaping @Sendable () -> Void
    ) {
        self.job = job
        self.mayHaveReached = mayHaveReached
        countsTokens = job.charges.contains(where: \.isSettled)
        plan = CallPlan(job, to: target, routed: routed, limits: limits)
        (self.span, self.steps, self.caller) = (span, steps, caller)
        (self.limits, self.eventLoop, self.logger) = (limits, eventLoop, logger)
        self.done = done
        span?.countsTokens = mayHaveReached && countsTokens
    }

    /// Makes the call.
    func begin() {
        guard steps.stop == nil else { return stopped() }
        let remaining = job.remaining()
        guard remaining > .zero else { return fail(plan.expired) }
        endTransfer()
        let request = plan.request(within: remaining)
        phase = .calling
        (began, beganAt) = (.now, .now)
        span?.recordCall(plan.model, at: beganAt, after: plan.failures)
        (answer, outcome, collector, preamble, holdEnds) = (nil, nil, nil, nil, nil)
        (isPaused, isLate) = (false, false)
        steps.meter?.calls(plan)
        let receiver = CallReceiver(of: self, number: plan.calls, of: job, on: eventLoop)
        let call = NIOLoopBound(self, eventLoop: eventLoop)
        transfer = caller.start(
            request, to: plan.target, patience: limits.flushInterval, on: eventLoop, receiver
        ) { call.value.plan.changeTarget($0) }
        guard job.isStream, let bound = job.options.firstTokenTimeout, remaining > .milliseconds(bound) else { return }
        schedule(in: .milliseconds(bound)) { $0.firstTokenIsLate() }
    }

    /// The call was ended from outside.
    func stop() {
        guard phase == .calling || phase == .pausing else { return }
        mayHaveReached = mayHaveReached || transfer != nil
        endTransfer()
        // A frame that is on its way to Redis is waited for.
        if !isSending { stopped() }
    }
}

/// The answer.
extension Call {
    /// Takes an event of one of the call's transfers.
    /// - Parameter number: tells the present transfer's events from those of earlier ones.
    func receive(_ event: UpstreamEvent, from number: Int) {
        guard phase == .calling, number == plan.calls, outcome == nil else { return }
        steps.meter?.hears(event)
        switch event {
        case .head(let head):
            mayHaveReached = true
            if head.status >= 400, goOn(after: [.status(head.status)], retryAfter: RetryAfter.wait(head)) { return }
            span?.recordHead(head)
            collector = span == nil && countsTokens ? ResponseCollector(head: head) : nil
            answer = RelayedResponse(
                head, saying: ServedBy(plan).headers, to: job, of: plan.target, isLocal: steps.isLocal)
            beginPreamble(head)
        case .piece(let piece):
            span?.take(piece.bytes)
            collector?.take(piece.bytes, at: .epoch)
            if pending.isEmpty { pending = piece.bytes } else { pending += piece.bytes }
            isRest = piece.isRest
            preamble?.take(piece.bytes)
            if !isRest { boundHold() }
        case .end(let error):
            outcome = error.map { .failure($0) } ?? .success(())
            if error == nil { preamble?.end() }
        }
        if preamble != nil, leavePreamble() { return }
        goOn()
    }

    /// Takes all steps that are possible now: sends the bytes that have come, or ends the call.
    private func goOn() {
        while phase == .calling, !isSending, !lacksCredit {
            if steps.stop != nil { return stopped() }
            if isLate {
                firstTokenIsLate()
                continue
            }
            if let frame = frames.popFirst() {
                send(frame)
            } else if !pending.isEmpty, !(preamble?.isHeld ?? false) {
                cut()
            } else if let outcome {
                return transferEnded(outcome)
            } else {
                break
            }
        }
        regulate()
    }

    private func cut() {
        let bytes = pending
        pending = []
        guard let taken = answer?.take(bytes, isRest: isRest) else { return }
        frames.append(contentsOf: taken.frames)
        isConfirmed = taken.isConfirmed
    }

    private func send(_ frame: ResponseFrame) {
        let call = NIOLoopBound(self, eventLoop: eventLoop)
        isSending = true
        let known = steps.send(frame, isConfirmed: isConfirmed) { [count = frame.body.count] outcome in
            call.value.sent(count, outcome)
            call.value.goOn()
        }
        if let known { sent(frame.body.count, known) }
    }

    private func sent(_ count: Int, _ outcome: ResponseSender.Sent) {
        isSending = false
        guard phase == .calling || phase == .pausing else { return }
        switch outcome {
        case .sent:
            sent += count
            let call = NIOLoopBound(self, eventLoop: eventLoop)
            lacksCredit = !steps.hasCredit(sent - job.window) {
                call.value.lacksCredit = false
                call.value.goOn()
            }
        case .ended: stopped()
        case .failed, .full:
            let error = outcome == .full ? GatewayError.answerNotKept : .forwarderFailed
            end(.init(ResponseFrame(lastWord: error), succeeded: false, span: span?.failed(error)))
        case .lost:
            let id: Logger.Metadata = ["insertion_id": "\(job.insertionID)"]
            logger.notice("job was taken over while it ran here; the call was dropped", metadata: id)
            close()
        }
    }

    /// Makes the provider wait while the bytes that it has sent are not taken.
    private func regulate() {
        guard phase == .calling, outcome == nil else { return }
        let isFull = lacksCredit || isSending && pending.count >= Self.capacity
        guard isFull != isPaused else { return }
        isPaused = isFull
        if isFull { transfer?.pause() } else { transfer?.resume() }
    }
}

/// The part before the content.
extension Call {
    /// Holds the answer back until its content comes, if another call could still take its place.
    private func beginPreamble(_ head: UpstreamHead) {
        guard (200..<300).contains(head.status), Preamble.isReadable(head, isStream: job.isStream) else { return }
        guard plan.mayGoOn || job.isStream && job.options.firstTokenTimeout != nil else { return }
        preamble = Preamble(isChat: job.path == Provider.chatCompletions, room: limits.holdBytes)
        holdEnds = .now + limits.hold
    }

    /// Sets the time at which the answer goes out as it is. An answer that comes as a whole needs none.
    private func boundHold() {
        guard preamble != nil, let end = holdEnds.take() else { return }
        schedule(in: max(ContinuousClock.now.duration(to: end), .zero)) { call in
            call.preamble?.isDue()
            call.goOn()
        }
    }

    /// Goes on to the content, or to the next call if an error came before it.
    /// - Returns: whether the next call is made.
    private func leavePreamble() -> Bool {
        guard preamble.map({ $0.finding != .undecided }) ?? false, let found = preamble.take() else { return false }
        if case .failed(let failures) = found.finding, answer?.framer.hasBegun != true { return goOn(after: failures) }
        // All of the answer has been held back until now.
        if found.count == pending.count { answer?.adopt(found.check, after: found.count) }
        return false
    }

    private func firstTokenIsLate() {
        isLate = outcome == nil && (answer == nil || preamble.map { !$0.isBody } ?? false)
        // A frame that is on its way to Redis is waited for.
        guard isLate, !isSending else { return }
        isLate = false
        mayHaveReached = true
        let error = GatewayError.firstTokenTimeout(milliseconds: job.options.firstTokenTimeout ?? 0)
        if answer?.framer.hasBegun ?? false {
            return end(.init(answer?.breakOff(error), succeeded: false, span: span?.failed(error)))
        }
        if !goOn(after: [.firstTokenTimeout]) { fail(error) }
    }
}

/// The end.
extension Call {
    private func transferEnded(_ outcome: Result<Void, UpstreamError>) {
        transfer = nil
        switch outcome {
        case .success where answer != nil: finish()
        case .success: failed(UpstreamError(.malformed, "it ended without a head", requestMayHaveBeenSent: true))
        case .failure(let error):
            if answer?.isWhole(sent: sent, handedOver: steps.handedOver) ?? false { return finish() }
            failed(error)
        }
    }

    private func failed(_ error: UpstreamError) {
        mayHaveReached = mayHaveReached || error.requestMayHaveBeenSent
        if answer?.framer.hasBegun ?? false {
            let error = GatewayError(upstream: error)
            return end(.init(answer?.breakOff(error), succeeded: false, span: span?.failed(error)))
        }
        let failure = Route.Failure(error, hasHead: answer != nil, isStream: job.isStream)
        let times = (beganAt, Timestamp.now)
        switch plan.next(after: error, failure, times, elapsed: began.duration(to: .now), remaining: job.remaining()) {
        case .giveUp(let told):
            if !goOn(after: failure.map { [$0] } ?? [], mayBePaid: error.requestMayHaveBeenSent) { fail(told) }
        case .call(let pause):
            span?.recordPause(after: plan.failures)
            begin(after: pause)
        case .repeatOnFresh:
            span?.isRepeated = true
            logger.notice(
                "the provider closed a kept connection unanswered; the call is repeated on a new one, perhaps paid twice",
                metadata: ["insertion_id": "\(job.insertionID)", "provider": "\(plan.target.provider)"])
            begin()
        }
    }

    /// Makes the next call that a rule or the client has for a failure, before anything of an answer has left.
    /// - Parameter failures: the failure, under each name that rules may use.
    private func goOn(after failures: [Route.Failure], mayBePaid: Bool = true, retryAfter: Duration? = nil) -> Bool {
        guard steps.stop == nil else { return false }
        for failure in failures {
            let failed = CallPlan.Failure(
                failure: failure, mayBePaid: mayBePaid, retryAfter: retryAfter,
                times: (beganAt, Timestamp.now))
            do throws(GatewayError) {
                let jitter = Double.random(in: 0...1)
                guard let pause = try plan.pause(after: failed, remaining: job.remaining(), jitter: jitter) else {
                    continue
                }
                span?.recordRequest(plan.target)
                span?.recordPause(after: plan.failures)
                begin(after: pause)
            } catch {
                fail(error)
            }
            return true
        }
        return false
    }

    private func begin(after pause: Duration) {
        endTransfer()
        guard pause > .zero else { return begin() }
        phase = .pausing
        schedule(in: pause) { $0.begin() }
    }

    /// Does something after a time, unless the transfer or the pause has ended by then.
    private func schedule(in time: Duration, _ act: @escaping (Call) -> Void) {
        timers.append(eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) { act(self) })
    }

    /// Ends the job with an answer that is whole.
    private func finish() {
        guard let (frame, succeeded, failure) = answer?.end() else { return }
        end(.init(frame, of: answer?.framer.head, succeeded: succeeded, span: span?.answered(failure)))
    }

    private func fail(_ error: GatewayError) {
        steps.meter?.error = error
        var frame = ResponseFrame(refusal: error)
        if plan.calls > 0 { frame.head?.headers += ServedBy(plan).headers }
        end(.init(frame, succeeded: false, span: span?.failed(error)))
    }

    /// Ends the job of a call that was ended from outside. Nothing is on its way to Redis.
    private func stopped() {
        mayHaveReached = mayHaveReached || transfer != nil
        endTransfer()
        if answer?.isWhole(sent: sent, handedOver: steps.handedOver) ?? false { return finish() }
        if steps.stop == .released { return handBack() }
        // Only a client that fetches the answer later can still get one.
        let frame = job.isFetchable ? ResponseFrame(lastWord: .cancelled) : nil
        end(.init(frame, succeeded: false, span: span?.failed(job.remaining() > .zero ? .cancelled : plan.expired)))
    }

    private func end(_ ending: ResponseSender.Ending) {
        var ending = ending
        let usage = span?.usage ?? collector?.usage
        ending.spent = spent(usage)
        steps.meter?.usage = usage
        phase = .ending
        endTransfer()
        let call = NIOLoopBound(self, eventLoop: eventLoop)
        steps.finish(ending) { call.value.close() }
    }

    /// The job's use of the limits on tokens. An answer that states no usage was perhaps paid for.
    private func spent(_ usage: TokenUsage?) -> TokensSpent {
        guard countsTokens else { return .unknown }
        return mayHaveReached ? TokensSpent(usage, of: job, by: plan.target) : .none
    }

    private func handBack() {
        phase = .ending
        let call = NIOLoopBound(self, eventLoop: eventLoop)
        steps.release { call.value.close() }
    }

    private func endTransfer() {
        transfer?.cancel()
        transfer = nil
        (frames, pending) = ([], [])
        for timer in timers { timer.cancel() }
        timers = []
    }

    private func close() {
        phase = .over
        endTransfer()
        done.take()?()
    }
}
