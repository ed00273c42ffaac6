package import Common
package import Logging
internal import Redis
package import Upstream

/// Sends one job's answer to whoever waits for it, and ends the job. Everything it does is done only while this forwarder owns the job.
package struct AnswerSender: Sendable {
    /// The job was taken over by another forwarder, which now answers for it.
    package struct LostOwnership: Error {}

    /// How long the pieces of a stream go to a client in this process on one confirmation. Shorter than the time for
    /// which a silent worker counts as alive.
    private static let confirmedFor = JobStream.lostAfter / 2

    let stream: JobStream
    let envelope: Envelope
    let defaultProject: String
    /// How long a span that waits for its export lives (``SpanOutbox/life(forWaiting:)``).
    let spanLife: Duration
    /// Is given each span of a job that has ended here, as it was before it was sealed.
    package var keepSpan: @Sendable (_ span: [UInt8], _ id: InsertionID) -> Void = { _, _ in }
    let logger: Logger
    private let leftLog = SparseLog()

    package init(stream: JobStream, envelope: Envelope, defaultProject: String, spanLife: Duration, logger: Logger) {
        self.stream = stream
        self.envelope = envelope
        self.defaultProject = defaultProject
        self.spanLife = spanLife
        self.logger = logger
    }

    /// Sends a frame in the middle of an answer; waits while Redis is away. A frame for a client in this process goes
    /// without Redis, for a few seconds after Redis has confirmed that the job is still this worker's.
    /// - Parameter isConfirmed: whether Redis is to confirm it for this frame in any case.
    /// - Throws: `LostOwnership`, or `UpstreamError` with `.cancelled` if the call was ended from outside meanwhile.
    package func send(
        _ frame: ResponseFrame, of job: Job, in delivery: Delivery, isConfirmed: Bool = false, control: CallControl
    ) async throws {
        let isKnown = control.confirmedAt.map { $0.duration(to: .now) < Self.confirmedFor } ?? false
        if !control.isLocal || isConfirmed || !isKnown {
            let sealed = control.isLocal ? nil : try envelope.seal(frame.wireBytes, for: .frame(job.insertionID))
            let life = job.remaining() + .seconds(60)
            let isOurs = try await insist(unless: { control.stop != nil }) { () async throws(RedisError) in
                try await stream.deliver(sealed, of: job, in: delivery, markerTTL: max(life, .seconds(60)))
            }
            guard isOurs else { throw LostOwnership() }
            control.confirmedAt = .now
        }
        control.client?.receive(frame)
    }

    /// Ends the job: with this last frame, if somebody waits for it.
    /// - Parameters:
    ///   - head: that of the answer, where it left in an earlier frame.
    ///   - succeeded: whether the completion counts; if not, its id leaves the rollout's set.
    ///   - span: the completion's trace (``SpanRecord``); nil if it has none.
    package func finish(
        _ job: Job, in delivery: Delivery, with frame: ResponseFrame?, of head: UpstreamHead? = nil, succeeded: Bool,
        span: [UInt8]? = nil, deadLetterReason: String? = nil, control: CallControl
    ) async {
        let id = job.insertionID
        do {
            let sealed = control.isLocal ? nil : try frame.map { try envelope.seal($0.wireBytes, for: .frame(id)) }
            let rollout = job.rollout.map { RolloutKeys($0.rollout, project: job.project, defaultProject: defaultProject) }
            let kept = try span.map { JobStream.Span(project: job.project, sealed: try envelope.seal($0, for: .span(id)), life: spanLife) }
            let freed = (head ?? frame?.head)?.asksForAnotherAttempt ?? false ? job.idempotency?.key : nil
            let ending = JobStream.Ending(
                removeFrom: succeeded ? nil : rollout, span: kept, deadLetterReason: deadLetterReason, frees: freed, answerLife: job.answerLife)
            var mayHaveEnded = false
            var isOurs = try await insist(unless: { control.isReleased }) { () async throws(RedisError) in
                do throws(RedisError) {
                    return try await stream.finish(delivery, id: id, responseKey: job.responseKey, sealed: sealed, ending: ending)
                } catch {
                    mayHaveEnded = mayHaveEnded || error.mayHaveBeenExecuted
                    throw error
                }
            }
            if !isOurs, mayHaveEnded, control.isLocal {
                // Redis has not said whether an earlier try was the end, and the answer is nowhere but here.
                isOurs = try await insist(unless: { control.isReleased }) { () async throws(RedisError) in
                    try await stream.hasEnded(delivery, id, recordedIn: rollout?.set, succeeded: succeeded)
                }
            }
            // The worker that took it over answers its client, by way of Redis.
            guard isOurs else {
                return logger.notice("job was taken over; this end of it counts for nothing", metadata: ["insertion_id": "\(id)"])
            }
            if let frame { control.client?.receive(frame) }
            if let span { keepSpan(span, id) }
        } catch {
            // The entry stays pending and is taken over by the next forwarder.
            logger.warning("could not end a job before this process did", metadata: ["insertion_id": "\(id)", "error": "\(error)"])
        }
    }

    /// Sees to an entry that cannot be read here. One that another worker may be able to read is left for it as long as a client could wait for the answer;
    /// anything else is given up.
    package func reject(_ delivery: Delivery, because error: DeliveryError, control: CallControl) async {
        guard error.isForOthers else { return await bury(delivery, reason: error.description, control: control) }
        do {
            let isLeft = try await insist(unless: { control.isReleased }) { () async throws(RedisError) in try await stream.leave(delivery) }
            guard isLeft else {
                return await bury(delivery, reason: "\(error.description); it found none that reads it within REQUEST_TIMEOUT", control: control)
            }
            guard let count = leftLog.note() else { return }
            logger.warning(
                "left entries of the job stream for workers that can read them",
                metadata: ["entries": "\(count)", "entry": "\(delivery.entry)", "reason": "\(error.description)"])
        } catch {
            // Redis is away and this process stops: the entry is taken over when it counts as dead.
            logger.debug("could not hand an entry back", metadata: ["entry": "\(delivery.entry)", "error": "\(error)"])
        }
    }

    /// Gives an entry up that is no job: there is nobody to answer and no set.
    package func bury(_ delivery: Delivery, reason: String, control: CallControl) async {
        logger.error("gave an entry of the job stream up", metadata: ["entry": "\(delivery.entry)", "reason": "\(reason)"])
        _ = try? await insist(unless: { control.isReleased }) { () async throws(RedisError) in
            try await stream.finish(
                delivery, id: nil, responseKey: nil, sealed: nil, ending: JobStream.Ending(deadLetterReason: reason))
        }
    }

    /// Hands the job back to the others, without counting this delivery.
    package func release(_ delivery: Delivery) async {
        do {
            try await stream.release([delivery.entry])
        } catch {
            logger.warning("could not hand a job back; it is taken over when this process counts as dead", metadata: ["entry": "\(delivery.entry)"])
        }
    }

    /// Does a step on the queue until Redis has answered: a step whose answer was lost does no harm when it is done again, since the first one made the job
    /// nobody's, and a frame is known by its number. Ends with the process: a job of a client that left ends so too.
    private func insist(unless isOver: () -> Bool, _ step: () async throws(RedisError) -> Bool) async throws -> Bool {
        var pause = RetryPause()
        while true {
            do {
                return try await step()
            } catch {
                guard !isOver() else { throw UpstreamError(.cancelled, "ended while Redis was away", requestMayHaveBeenSent: true) }
                logger.debug("trying again", metadata: ["error": "\(error)"])
                await pause.wait()
            }
        }
    }
}
