package import Common
package import Logging
internal import NIOConcurrencyHelpers
package import NIOCore
internal import NIOPosix
internal import Redis
package import Upstream

/// Sends one job's answer to the client that waits for it, and ends the job, only while this worker owns the job.
package struct ResponseSender: Sendable {
    /// The job was taken over by another worker, which now answers for it.
    package struct LostOwnership: Error {}

    /// The time for which a stream's pieces go to a client in this process on one confirmation. Less than the time for
    /// which a silent worker counts as alive.
    private static let confirmedFor = JobStream.lostAfter / 2

    let stream: JobStream
    let envelope: Envelope
    let keySpace: KeySpace
    /// The lifetime of a span that waits for its export (``SpanOutbox/life(forWaiting:)``).
    let spanLife: Duration
    let audit: AuditLog?
    let logger: Logger
    private let leftLog = SparseLog()
    /// Whether requests are logged (`REQUEST_LOG`).
    package var logsRequests = false
    /// Is given each span of a job that has ended here, as it was before it was sealed.
    package var keepSpan: @Sendable (_ span: [UInt8], _ id: InsertionID) -> Void = { _, _ in }

    /// - Parameter audit: is told of entries that cannot be read here.
    package init(
        stream: JobStream, envelope: Envelope, keySpace: KeySpace, spanLife: Duration, audit: AuditLog? = nil,
        logger: Logger
    ) {
        self.stream = stream
        self.envelope = envelope
        self.keySpace = keySpace
        self.spanLife = spanLife
        self.audit = audit
        self.logger = logger
    }

    /// The outcome of sending a frame.
    package enum Sent: Sendable, Equatable {
        case sent
        /// The job was taken over by another worker, which now answers for it.
        case lost
        /// The call was ended from outside while Redis was away.
        case ended
        /// The frame could not be sealed. Nothing was sent, and the job is still this worker's.
        case failed
        /// There is no room to keep so much of the answer (`KEPT_BYTES`). Nothing of it is kept any longer, and the job
        /// is still this worker's.
        case full
    }

    /// Sends a frame in the middle of an answer; waits while Redis is away. After Redis has confirmed that the job is
    /// still this worker's, frames for a client in this process go without Redis for a few seconds.
    /// - Parameters:
    ///   - isConfirmed: whether Redis is to confirm it for this frame in any case.
    ///   - eventLoop: where `completion` is called.
    /// - Returns: the outcome, if it is known at once; `completion` is not called then.
    package func send(
        _ frame: ResponseFrame, of job: Job, in delivery: Delivery, isConfirmed: Bool = false, control: CallControl,
        on eventLoop: any EventLoop,
        completion: @escaping @Sendable (Sent) -> Void
    ) -> Sent? {
        if control.isLocal, !isConfirmed, let at = control.confirmedAt, at.duration(to: .now) < Self.confirmedFor {
            control.client?.receive(frame)
            return .sent
        }
        let sealed: [UInt8]?
        do { sealed = control.isLocal ? nil : try seal(frame, of: job) } catch {
            logger.error(
                "a frame cannot be sealed", metadata: ["insertion_id": "\(job.insertionID)", "error": "\(error)"])
            return .failed
        }
        let life = job.remaining() + .seconds(60)
        let kept = job.isFetchable ? control.keptBytes : nil
        let step = RepeatedStep<JobStream.Delivered>(on: eventLoop, logger: logger, unless: { control.stop != nil }) {
            completion in
            stream.deliver(
                sealed, of: job, in: delivery, markerTTL: max(life, .seconds(60)), keptBytes: kept,
                completion: completion)
        }
        step.run { delivered in
            switch delivered {
            case nil: completion(.ended)
            case .lost: completion(.lost)
            case .full: completion(.full)
            case .sent(let bytes):
                control.keptBytes += bytes
                control.confirmedAt = .now
                control.client?.receive(frame)
                completion(.sent)
            }
        }
        return nil
    }

    /// The same for a task.
    /// - Throws: `LostOwnership`; `UpstreamError` with `.cancelled` if the call was ended from outside meanwhile;
    ///   `EnvelopeError`.
    package func send(
        _ frame: ResponseFrame, of job: Job, in delivery: Delivery, isConfirmed: Bool = false, control: CallControl
    ) async throws {
        let sent = await withCheckedContinuation { continuation in
            let sent = send(
                frame, of: job, in: delivery, isConfirmed: isConfirmed, control: control,
                on: MultiThreadedEventLoopGroup.singleton.any()
            ) { continuation.resume(returning: $0) }
            if let sent { continuation.resume(returning: sent) }
        }
        switch sent {
        case .sent: return
        case .lost: throw LostOwnership()
        case .failed: throw EnvelopeError.cannotSeal
        // An answer with a task is a question's, which is not kept by choice.
        case .ended, .full: throw UpstreamError(.cancelled, "ended while Redis was away", requestMayHaveBeenSent: true)
        }
    }

    /// The end of a job.
    package struct Ending: Sendable {
        /// The last frame; nil if no client waits for it.
        package var frame: ResponseFrame?
        /// The answer's head, where it left in an earlier frame.
        package var head: UpstreamHead?
        /// Whether the completion counts; if not, its id leaves the rollout's set.
        package var succeeded: Bool
        /// The completion's trace (``SpanRecord`` or OTLP/JSON); nil if it has none.
        package var span: [UInt8]?
        /// Whether the span is for the request log alone.
        package var isRecord = false
        /// Whether the backend writes the completion's trace, of which the gateway has nothing.
        package var isTracedByBackend = false
        package var deadLetterReason: String?
        /// The job's use of the limits on tokens.
        package var spent: TokensSpent

        package init(
            _ frame: ResponseFrame?, of head: UpstreamHead? = nil, succeeded: Bool, span: [UInt8]? = nil,
            deadLetterReason: String? = nil, spent: TokensSpent = .unknown
        ) {
            self.spent = spent
            self.frame = frame
            self.head = head
            self.succeeded = succeeded
            self.span = span
            self.deadLetterReason = deadLetterReason
        }
    }

    /// Ends the job, with a last frame if a client waits for it.
    /// - Parameters:
    ///   - eventLoop: where `completion` is called.
    ///   - completion: is called when the job is over here, be it that another worker ended it.
    package func finish(
        _ shared: SharedJob, in delivery: Delivery, _ ending: Ending, control: CallControl, on eventLoop: any EventLoop,
        completion: @escaping @Sendable () -> Void
    ) {
        let id = shared.job.insertionID
        let frame = ending.frame
        let keySpace = keySpace
        let rollout = { @Sendable in
            shared.job.ownRollout.map { keySpace.keys(of: $0) }
        }
        let sealed: [UInt8]?
        let steps: JobStream.Ending
        do {
            sealed = control.isLocal ? nil : try frame.map { try seal($0, of: shared.job) }
            let span = try ending.span.map {
                JobStream.Span(
                    project: shared.job.project, sealed: try envelope.seal($0, for: .span(id, holding: $0)),
                    life: spanLife,
                    isExported: !ending.isRecord, isLogged: logsRequests)
            }
            let freed = (ending.head ?? frame?.head)?.asksForAnotherAttempt ?? false ? shared.job.idempotency?.key : nil
            steps = JobStream.Ending(
                removeFrom: ending.succeeded ? nil : rollout(), span: span, deadLetterReason: ending.deadLetterReason,
                frees: freed,
                answerLife: shared.job.answerLife,
                settlements: delivery.settlements(of: shared.job, after: ending.spent),
                // How much of it another worker's part of the answer has used is not known.
                reservation: shared.job.isFetchable && !delivery.isTakenOver
                    ? KeptBytes.Reservation(of: shared.job, used: control.keptBytes) : nil)
        } catch {
            logLeft(id, "\(error)")
            return completion()
        }
        let mayHaveEnded = NIOLockedValueBox(false)
        let step = RepeatedStep<Bool>(on: eventLoop, logger: logger, unless: { control.isReleased }) { completion in
            stream.finish(delivery, id: id, responseKey: shared.job.responseKey, sealed: sealed, ending: steps) {
                result in
                if case .failure(let error) = result, error.mayHaveBeenExecuted {
                    mayHaveEnded.withLockedValue { $0 = true }
                }
                completion(result)
            }
        }
        let end = { @Sendable (isOurs: Bool?) in
            if isOurs == true, let frame { control.client?.receive(frame) }
            if isOurs == true, let span = ending.span, !ending.isRecord { keepSpan(span, id) }
            if isOurs == true, ending.isTracedByBackend, ending.succeeded, let rollout = shared.job.ownRollout {
                stream.noteEnd(of: id, in: rollout)
            }
            // The worker that took it over answers its client, by way of Redis.
            if isOurs == false {
                logger.notice(
                    "job was taken over before it ended here; its end here is dropped",
                    metadata: ["insertion_id": "\(id)"])
            }
            // The entry stays pending and is taken over by the next worker.
            if isOurs == nil { logLeft(id, "this process stopped while Redis was away") }
            completion()
        }
        step.run { isOurs in
            guard isOurs == false, control.isLocal, mayHaveEnded.withLockedValue({ $0 }) else { return end(isOurs) }
            // Redis has not said whether an earlier try was the end, and the answer is nowhere but here.
            let question = RepeatedStep<Bool>(on: eventLoop, logger: logger, unless: { control.isReleased }) {
                completion in
                stream.hasEnded(
                    delivery, id, recordedIn: rollout()?.set, succeeded: ending.succeeded, completion: completion)
            }
            question.run(completion: end)
        }
    }

    private func seal(_ frame: ResponseFrame, of job: Job) throws(EnvelopeError) -> [UInt8] {
        try job.answerEnvelope(envelope).seal(frame.wireBytes, for: .frame(job.insertionID))
    }

    private func logLeft(_ id: InsertionID, _ why: String) {
        logger.warning(
            "could not record the end of a job; it stays in the queue for another process",
            metadata: ["insertion_id": "\(id)", "error": "\(why)"])
    }

    /// The same for a task.
    package func finish(
        _ job: Job, in delivery: Delivery, with frame: ResponseFrame?, succeeded: Bool, deadLetterReason: String? = nil,
        control: CallControl
    ) async {
        await withCheckedContinuation { continuation in
            finish(
                SharedJob(job), in: delivery, Ending(frame, succeeded: succeeded, deadLetterReason: deadLetterReason),
                control: control,
                on: MultiThreadedEventLoopGroup.singleton.any()
            ) { continuation.resume() }
        }
    }

    /// Sees to an entry that cannot be read here. An entry that another worker may be able to read is left for it, as
    /// long as a client could wait for the answer. Any other entry is given up.
    /// - Parameters:
    ///   - eventLoop: where `completion` is called.
    ///   - completion: is called when the entry is no longer this worker's.
    package func reject(
        _ delivery: Delivery, because error: DeliveryError, control: CallControl, on eventLoop: any EventLoop,
        completion: @escaping @Sendable () -> Void
    ) {
        let bury = { @Sendable (reason: String) in
            self.bury(delivery, reason: reason, control: control, on: eventLoop, completion: completion)
        }
        guard error.isForOthers else { return bury(error.description) }
        let step = RepeatedStep<Bool>(on: eventLoop, logger: logger, unless: { control.isReleased }) {
            [stream] completion in
            stream.leave(delivery, completion: completion)
        }
        step.run { isLeft in
            if isLeft == false {
                return bury("\(error.description); it found none that reads it within REQUEST_TIMEOUT")
            }
            if isLeft == true { audit?.noteSparsely(.sealUnreadable, of: stream.queue.stream) }
            if isLeft == true, let count = leftLog.note() {
                logger.warning(
                    "left entries of the job stream for workers that can read them",
                    metadata: ["entries": "\(count)", "entry": "\(delivery.entry)", "reason": "\(error.description)"])
            }
            // Where Redis is away and this process stops, the entry is taken over when it counts as dead.
            completion()
        }
    }

    /// The same for a task.
    package func reject(_ delivery: Delivery, because error: DeliveryError, control: CallControl) async {
        await withCheckedContinuation { continuation in
            reject(delivery, because: error, control: control, on: MultiThreadedEventLoopGroup.singleton.any()) {
                continuation.resume()
            }
        }
    }

    /// Gives up an entry that cannot be read. A client that can fetch the answer is told so, and the id leaves the
    /// rollout's set, as far as the entry names them.
    private func bury(
        _ delivery: Delivery, reason: String, control: CallControl, on eventLoop: any EventLoop,
        completion: @escaping @Sendable () -> Void
    ) {
        logger.error(
            "gave an entry of the job stream up", metadata: ["entry": "\(delivery.entry)", "reason": "\(reason)"])
        let id = stream.queue == .completions ? InsertionID(delivery.insertionID) : nil
        let rollout = id.flatMap { _ in delivery.rollout }.map {
            keySpace.keys(of: $0)
        }
        let frame = ResponseFrame(lastWord: .lost(reason))
        let sealed = id.flatMap { try? envelope.seal(frame.wireBytes, for: .frame($0)) }
        let ending = JobStream.Ending(removeFrom: rollout, deadLetterReason: reason)
        let step = RepeatedStep<Bool>(on: eventLoop, logger: logger, unless: { control.isReleased }) {
            [stream] completion in
            stream.finish(
                delivery, id: id, responseKey: nil, sealed: sealed, ending: ending, completion: completion)
        }
        step.run { _ in completion() }
    }

    /// Hands the job back to the others, without counting this delivery.
    package func release(
        _ delivery: Delivery, on eventLoop: any EventLoop, completion: @escaping @Sendable () -> Void
    ) {
        stream.release([delivery.entry]) { result in
            if case .failure = result {
                logger.warning(
                    "could not hand a job back; it is taken over when this process counts as dead",
                    metadata: ["entry": "\(delivery.entry)"])
            }
            eventLoop.perform(completion)
        }
    }

    /// The same for a task.
    package func release(_ delivery: Delivery) async {
        await withCheckedContinuation { continuation in
            release(delivery, on: MultiThreadedEventLoopGroup.singleton.any()) { continuation.resume() }
        }
    }
}

extension GatewayError {
    /// - Parameter reason: the reason why no worker can make the call.
    package static func lost(_ reason: String) -> GatewayError {
        GatewayError(
            status: 502, type: "server_error", code: "job_lost",
            message:
                "The job was lost: \(reason). It was given up and is noted in gateway/dead. Whether its call was made "
                + "before is not known; send the request again if it may be made twice.",
            shouldRetry: false)
    }
}
