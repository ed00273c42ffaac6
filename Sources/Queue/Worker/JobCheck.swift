package import Common
package import Logging
package import NIOCore
internal import NIOPosix

/// Decides whether a job that was taken is worked on at all.
package struct JobCheck: Sendable {
    /// The answer to a job that is not worked on.
    package struct Refusal: Sendable {
        package var error: GatewayError
        package var frame: ResponseFrame
        /// Nil if the job is not a dead letter.
        package var deadLetterReason: String?
    }

    /// The errors of a kind of jobs. The kinds differ in the work that came to nothing, and in the advice about it.
    package struct Errors: Sendable {
        /// The time that the job had was over before it was taken.
        var expired: GatewayError
        /// The same for a job that another worker had taken before.
        var expiredAgain: GatewayError
        /// The answer had begun when the worker was lost.
        var lost: GatewayError

        /// Calls of a provider.
        package static let calls = Errors(expired: .expired, expiredAgain: .expiredAgain, lost: .forwarderLost)
        /// Questions, which can be asked again at no cost.
        package static let questions = Errors(expired: .notTaken, expiredAgain: .notTaken, lost: .workerLost)
    }

    private let stream: JobStream
    private let maxDeliveries: Int
    private let errors: Errors
    private let logger: Logger

    package init(stream: JobStream, maxDeliveries: Int, errors: Errors, logger: Logger) {
        self.logger = logger
        self.errors = errors
        self.stream = stream
        self.maxDeliveries = maxDeliveries
    }

    /// The answer as far as it is known at once. It is enough for a job that was not taken over.
    package func refusal(of job: Job, _ delivery: Delivery) -> Refusal? {
        guard delivery.count <= maxDeliveries else {
            let reason =
                "given to \(delivery.count - 1) \(delivery.queue.group), each of which was lost while it worked on it"
            let error = GatewayError.deadLettered(reason, isKept: !job.isWithheld)
            return Refusal(error: error, frame: ResponseFrame(lastWord: error), deadLetterReason: reason)
        }
        guard !job.deadline.isOver() else {
            let error = delivery.isTakenOver ? errors.expiredAgain : errors.expired
            return Refusal(error: error, frame: ResponseFrame(refusal: error))
        }
        return nil
    }

    /// The full answer: for a job that was taken over, Redis is asked whether its answer had begun.
    /// - Parameters:
    ///   - eventLoop: where `completion` is called; at once, if Redis need not be asked and the caller is there.
    ///   - completion: is given nil if the job is worked on.
    package func refusal(
        of job: Job, _ delivery: Delivery, _ control: CallControl, on eventLoop: any EventLoop,
        completion: @escaping @Sendable (Refusal?) -> Void
    ) {
        let refusal = refusal(of: job, delivery)
        guard refusal == nil, delivery.isTakenOver else { return eventLoop.perform { completion(refusal) } }
        let question = RepeatedStep(on: eventLoop, logger: logger, unless: { control.stop != nil }) {
            [stream] completion in
            stream.hasStarted(job.insertionID, completion: completion)
        }
        question.run { [lost = errors.lost] hasStarted in
            completion(hasStarted == true ? Refusal(error: lost, frame: ResponseFrame(lastWord: lost)) : nil)
        }
    }

    /// The same for a task.
    package func refusal(of job: Job, _ delivery: Delivery, _ control: CallControl) async -> Refusal? {
        await withCheckedContinuation { continuation in
            refusal(of: job, delivery, control, on: MultiThreadedEventLoopGroup.singleton.any()) {
                continuation.resume(returning: $0)
            }
        }
    }
}

extension GatewayError {
    package static let expired = GatewayError(
        status: 504, type: "server_error", code: "expired_in_queue",
        message:
            "The call waited in the queue until its time (REQUEST_TIMEOUT) was over, and was not made. More forwarders shorten the wait.",
        retryAfter: 5)

    /// The client must not repeat a call that may have been paid for.
    package static let expiredAgain = GatewayError(
        status: 504, type: "server_error", code: "expired_in_queue",
        message:
            "The forwarder that had the call gave it back or was lost, and the call's time (REQUEST_TIMEOUT) was over "
            + "before another one took it. The call may have been made.",
        shouldRetry: false)

    package static let cancelled = GatewayError(
        status: 410, type: "invalid_request_error", code: "cancelled", message: "The job was cancelled.",
        shouldRetry: false)

    fileprivate static let forwarderLost = GatewayError(
        status: 502, type: "server_error", code: "forwarder_lost",
        message:
            "The forwarder was lost in the middle of the answer. The call is not repeated, since part of its answer was already sent.",
        shouldRetry: false)

    fileprivate static let notTaken = GatewayError(
        status: 504, type: "server_error", code: "expired_in_queue",
        message:
            "The question waited in the queue until its time was over. More processes that answer it shorten the wait.",
        retryAfter: 5)

    fileprivate static let workerLost = GatewayError(
        status: 502, type: "server_error", code: "worker_lost",
        message: "The process that answered was lost in the middle of the answer. Nothing else is lost: ask again.",
        shouldRetry: true)

    /// - Parameter isKept: whether the dead letter has the request, which it has not if that is withheld.
    fileprivate static func deadLettered(_ reason: String, isKept: Bool) -> GatewayError {
        let place = isKept ? "It is kept in gateway/dead." : "It is noted in gateway/dead, without the request."
        return GatewayError(
            status: 502, type: "server_error", code: "dead_lettered",
            message: "The request was given up: \(reason). \(place)", shouldRetry: false)
    }
}
