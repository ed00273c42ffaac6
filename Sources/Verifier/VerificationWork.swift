internal import Common
internal import Logging
internal import Queue

/// Works on one question off the queue: opens it, finds the answer, sends it, ends the job. Whatever happens, the job ends once or goes to another verifier.
struct VerificationWork: Sendable {
    let runner: VerificationRunner
    let sender: AnswerSender
    let envelope: Envelope
    let check: JobCheck
    var metrics: VerifierMetrics?
    let logger: Logger

    func run(_ taken: consuming Delivery, control: CallControl) async {
        let began = ContinuousClock.now
        let outcome = await work(on: taken, control)
        metrics?.ended(outcome, in: began.duration(to: .now))
    }

    private func work(on taken: consuming Delivery, _ control: CallControl) async -> VerifierMetrics.Outcome {
        var delivery = taken
        let job: Job
        do { job = try delivery.takeJob(opening: envelope) } catch {
            await sender.reject(delivery, because: error, control: control)
            return .refused
        }
        if control.stop == .cancelled { return await drop(job, delivery, control) }
        if let refusal = await check.refusal(of: job, delivery, control) {
            await sender.finish(
                job, in: delivery, with: refusal.frame, succeeded: true, deadLetterReason: refusal.deadLetterReason, control: control)
            return .refused
        }
        let sink = FrameSink(job: job, delivery: delivery, sender: sender, control: control)
        do {
            try await runner.answer(Question(job), to: sink)
            await sender.finish(job, in: delivery, with: sink.last(), succeeded: true, control: control)
            return .answered
        } catch is AnswerSender.LostOwnership {
            logger.notice("question was taken over while it was worked on here", metadata: ["insertion_id": "\(job.insertionID)"])
            return .lost
        } catch {
            switch control.stop {
            case .released:
                await sender.release(delivery)
                return .released
            case .cancelled: return await drop(job, delivery, control)
            case nil:
                logger.error("question failed", metadata: ["insertion_id": "\(job.insertionID)", "error": "\(error.kind)"])
                await sender.finish(job, in: delivery, with: sink.failure(.verifierFailed), succeeded: true, control: control)
                return .failed
            }
        }
    }

    /// Nobody wants the answer.
    private func drop(
        _ job: Job, _ delivery: Delivery, _ control: CallControl
    ) async -> VerifierMetrics.Outcome {
        await sender.finish(job, in: delivery, with: nil, succeeded: true, control: control)
        return .cancelled
    }
}

extension GatewayError {
    fileprivate static let verifierFailed = GatewayError(
        status: 500, type: "server_error", code: "internal_error",
        message: "The verifier failed. Its log has the cause under this answer's x-insertion-id.", shouldRetry: true)
}
