package import Common
package import Logging

/// Works on one question off a queue: opens it, has it answered, sends the answer, ends the job. The job ends once, or
/// goes to another worker.
package struct QuestionWork: Sendable {
    /// Answers a question. An error becomes an answer if none has begun, and else breaks it off.
    /// - Parameter age: the time for which the question has been in the queue, other workers' time included.
    package typealias Answer =
        @Sendable (_ question: Job, _ age: Duration, _ sink: any ResponseSink) async throws -> Void

    /// The outcome of the work on a question.
    package enum Outcome: String, Sendable, CaseIterable {
        case answered, refused, cancelled, failed, released, lost
    }

    private let worker: QueueWorker
    private let answer: Answer
    private let ended: @Sendable (Outcome, Duration) -> Void
    private let failure: GatewayError
    private let sender: ResponseSender
    private let envelope: Envelope
    private let check: JobCheck
    private let logger: Logger

    /// - Parameters:
    ///   - worker: takes the questions.
    ///   - failure: the error that the client is told when `answer` throws.
    ///   - ended: is told how the work on each question ended, and how long it took.
    package init(
        of worker: QueueWorker, envelope: Envelope, maxDeliveries: Int, failure: GatewayError, logger: Logger,
        ended: @escaping @Sendable (Outcome, Duration) -> Void = { _, _ in }, answer: @escaping Answer
    ) {
        self.worker = worker
        self.ended = ended
        self.answer = answer
        self.failure = failure
        self.envelope = envelope
        self.logger = logger
        sender = worker.sender
        check = JobCheck(stream: worker.stream, maxDeliveries: maxDeliveries, errors: .questions, logger: logger)
    }

    package func run(_ taken: consuming Delivery, control: CallControl) async {
        let began = ContinuousClock.now
        let outcome = await work(on: taken, control)
        ended(outcome, began.duration(to: .now))
    }

    private func work(on taken: consuming Delivery, _ control: CallControl) async -> Outcome {
        var delivery = taken
        let job: Job
        do { job = try delivery.takeJob(opening: envelope) } catch {
            await sender.reject(delivery, because: error, control: control)
            return .refused
        }
        if control.stop == .cancelled { return await drop(job, delivery: delivery, control: control) }
        if let refusal = await check.refusal(of: job, delivery, control) {
            await sender.finish(
                job, in: delivery, with: refusal.frame, succeeded: true, deadLetterReason: refusal.deadLetterReason,
                control: control)
            return .refused
        }
        let sink = FrameWriter(job: job, delivery: delivery, sender: sender, control: control)
        do {
            try await answer(job, worker.age(of: delivery), sink)
            await sender.finish(job, in: delivery, with: sink.last(), succeeded: true, control: control)
            return .answered
        } catch is ResponseSender.LostOwnership {
            logger.notice(
                "question was taken over while it was worked on here",
                metadata: ["insertion_id": "\(job.insertionID)"])
            return .lost
        } catch {
            switch control.stop {
            case .released:
                await sender.release(delivery)
                return .released
            case .cancelled: return await drop(job, delivery: delivery, control: control)
            case nil:
                // An error that says what is wrong, and that came when the answer had begun.
                let told = error as? GatewayError
                logger.error(
                    "question failed",
                    metadata: ["insertion_id": "\(job.insertionID)", "error": "\(told?.code ?? error.kind)"])
                await sender.finish(
                    job, in: delivery, with: sink.failure(told ?? failure), succeeded: true, control: control)
                return .failed
            }
        }
    }

    /// Ends a question whose answer is not wanted any longer.
    private func drop(_ job: Job, delivery: Delivery, control: CallControl) async -> Outcome {
        await sender.finish(job, in: delivery, with: nil, succeeded: true, control: control)
        return .cancelled
    }
}
