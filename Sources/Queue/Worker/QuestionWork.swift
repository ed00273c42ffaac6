package import Common
package import Logging

/// Works on one question off a queue: opens it, has it answered, sends the answer, ends the job. Whatever happens, the
/// job ends once or goes to another worker.
package struct QuestionWork: Sendable {
    /// Answers a question. An error becomes an answer if none has begun, and else breaks it off.
    package typealias Answer = @Sendable (_ question: Job, _ sink: any AnswerSink) async throws -> Void

    private let answer: Answer
    private let failure: GatewayError
    private let sender: AnswerSender
    private let envelope: Envelope
    private let check: JobCheck
    private let logger: Logger

    /// - Parameters:
    ///   - worker: takes the questions.
    ///   - failure: what the client is told when `answer` throws.
    package init(
        of worker: QueueWorker, envelope: Envelope, maxDeliveries: Int, failure: GatewayError, logger: Logger,
        answer: @escaping Answer
    ) {
        self.answer = answer
        self.failure = failure
        self.envelope = envelope
        self.logger = logger
        sender = worker.sender
        check = JobCheck(stream: worker.stream, maxDeliveries: maxDeliveries, logger: logger)
    }

    package func run(_ taken: consuming Delivery, control: CallControl) async {
        var delivery = taken
        let job: Job
        do { job = try delivery.takeJob(opening: envelope) } catch {
            return await sender.reject(delivery, because: error, control: control)
        }
        if control.stop == .cancelled { return await drop(job, delivery, control) }
        if let refusal = await check.refusal(of: job, delivery, control) {
            return await sender.finish(
                job, in: delivery, with: refusal.frame, succeeded: true, deadLetterReason: refusal.deadLetterReason,
                control: control)
        }
        let sink = FrameSink(job: job, delivery: delivery, sender: sender, control: control)
        do {
            try await answer(job, sink)
            await sender.finish(job, in: delivery, with: sink.last(), succeeded: true, control: control)
        } catch is AnswerSender.LostOwnership {
            logger.notice(
                "question was taken over while it was worked on here",
                metadata: ["insertion_id": "\(job.insertionID)"])
        } catch {
            switch control.stop {
            case .released: await sender.release(delivery)
            case .cancelled: await drop(job, delivery, control)
            case nil:
                logger.error(
                    "question failed", metadata: ["insertion_id": "\(job.insertionID)", "error": "\(error.kind)"])
                await sender.finish(
                    job, in: delivery, with: sink.failure(failure), succeeded: true, control: control)
            }
        }
    }

    /// Nobody wants the answer.
    private func drop(_ job: Job, _ delivery: Delivery, _ control: CallControl) async {
        await sender.finish(job, in: delivery, with: nil, succeeded: true, control: control)
    }
}
