internal import Common
internal import Logging
internal import Queue

/// Works on one question off the queue: opens it, finds the answer, sends it, ends the job. Whatever happens, the job ends once or goes to another verifier.
struct VerificationWork: Sendable {
    let runner: VerificationRunner
    let sender: AnswerSender
    let envelope: Envelope
    let check: JobCheck
    let logger: Logger

    func run(_ taken: consuming Delivery, control: CallControl) async {
        var delivery = taken
        let job: Job
        do { job = try delivery.takeJob(opening: envelope) } catch {
            return await sender.reject(delivery, because: error, control: control)
        }
        if control.stop == .cancelled { return await drop(job, delivery, control) }
        if let refusal = await check.refusal(of: job, delivery, control) {
            return await sender.finish(
                job, in: delivery, with: refusal.frame, succeeded: true, deadLetterReason: refusal.deadLetterReason, control: control)
        }
        let sink = FrameSink(job: job, delivery: delivery, sender: sender, control: control)
        do {
            try await runner.answer(Question(job), to: sink)
            await sender.finish(job, in: delivery, with: sink.last(), succeeded: true, control: control)
        } catch is AnswerSender.LostOwnership {
            logger.notice("question was taken over while it was worked on here", metadata: ["insertion_id": "\(job.insertionID)"])
        } catch {
            switch control.stop {
            case .released: await sender.release(delivery)
            case .cancelled: await drop(job, delivery, control)
            case nil:
                logger.error("question failed", metadata: ["insertion_id": "\(job.insertionID)", "error": "\(error.kind)"])
                await sender.finish(job, in: delivery, with: sink.failure(.verifierFailed), succeeded: true, control: control)
            }
        }
    }

    /// Nobody wants the answer.
    private func drop(_ job: Job, _ delivery: Delivery, _ control: CallControl) async {
        await sender.finish(job, in: delivery, with: nil, succeeded: true, control: control)
    }
}

extension GatewayError {
    fileprivate static let verifierFailed = GatewayError(
        status: 500, type: "server_error", code: "internal_error",
        message: "The verifier failed. Its log has the cause under this answer's x-insertion-id.", shouldRetry: true)
}
