package import Common

/// Decides whether a job that was taken is worked on at all.
package struct JobCheck: Sendable {
    /// Why it is not.
    package struct Refusal: Sendable {
        package var error: GatewayError
        package var frame: ResponseFrame
        /// Nil if the job is no dead letter.
        package var deadLetterReason: String?
    }

    private let stream: JobStream
    private let maxDeliveries: Int

    package init(stream: JobStream, maxDeliveries: Int) {
        self.stream = stream
        self.maxDeliveries = maxDeliveries
    }

    /// Says what is known at once. Enough for a job that was not taken over.
    package func refusal(of job: Job, _ delivery: Delivery) -> Refusal? {
        guard delivery.count <= maxDeliveries else {
            let reason = "given to \(delivery.count - 1) \(delivery.queue.group), each of which was lost while it worked on it"
            return Refusal(error: .deadLettered(reason), frame: ResponseFrame(lastWord: .deadLettered(reason)), deadLetterReason: reason)
        }
        guard job.deadline > UnixTime.milliseconds else { return Refusal(error: .expired, frame: ResponseFrame(refusal: .expired)) }
        return nil
    }

    package func refusal(of job: Job, _ delivery: Delivery, _ control: CallControl) async -> Refusal? {
        if let refusal = refusal(of: job, delivery) { return refusal }
        guard delivery.isTakenOver else { return nil }
        var pause = RetryPause()
        while control.stop == nil {
            if let hasStarted = try? await stream.hasStarted(job.insertionID) {
                return hasStarted ? Refusal(error: .forwarderLost, frame: ResponseFrame(lastWord: .forwarderLost)) : nil
            }
            await pause.wait()
        }
        return nil
    }
}

extension GatewayError {
    package static let expired = GatewayError(
        status: 504, type: "server_error", code: "expired_in_queue",
        message: "The call waited in the queue until its time (REQUEST_TIMEOUT) was over, and was not made. More forwarders shorten the wait.",
        retryAfter: 5)

    package static let cancelled = GatewayError(
        status: 410, type: "invalid_request_error", code: "cancelled", message: "The job was cancelled.", shouldRetry: false)

    fileprivate static let forwarderLost = GatewayError(
        status: 502, type: "server_error", code: "forwarder_lost",
        message: "The forwarder was lost in the middle of the answer. The call is not repeated, since part of its answer was already sent.",
        shouldRetry: false)

    fileprivate static func deadLettered(_ reason: String) -> GatewayError {
        GatewayError(
            status: 502, type: "server_error", code: "dead_lettered",
            message: "The call was given up: \(reason). It is kept in gateway/dead.", shouldRetry: false)
    }
}
