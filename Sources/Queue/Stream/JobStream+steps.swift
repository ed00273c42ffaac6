package import Common
package import Redis

extension JobStream {
    /// Sends a frame in the middle of an answer, together with those of other jobs of the turn. From now on the call is
    /// not repeated.
    /// - Parameters:
    ///   - sealed: the frame; nil if it goes to a client in this process.
    ///   - completion: is called on the event loop of the connection; with false if the job is another's by now. Then
    ///     nothing was sent and the call is to be dropped.
    package func deliver(
        _ sealed: [UInt8]?, of job: Job, in delivery: Delivery, markerTTL: Duration,
        completion: @escaping @Sendable (Result<Bool, RedisError>) -> Void
    ) {
        deliveries.submit(
            DeliverStep(
                entry: delivery.entry, id: job.insertionID, responseKey: job.responseKey, sealed: sealed ?? [],
                answerLife: job.answerLife,
                markerTTL: markerTTL, completion: completion))
    }

    /// Sends a frame in the middle of an answer and waits until Redis has said whether the job is this worker's.
    package func deliver(
        _ sealed: [UInt8]?, of job: Job, in delivery: Delivery, markerTTL: Duration
    ) async throws(RedisError) -> Bool {
        try await result { completion in
            deliver(sealed, of: job, in: delivery, markerTTL: markerTTL, completion: completion)
        }
    }

    /// Ends a job: its last frame, the set, the trace, the dead letter, the acknowledgement, in one step; together with
    /// those of other jobs of the turn.
    /// - Parameters:
    ///   - sealed: the last frame; nil if nobody is to be answered.
    ///   - completion: is called on the event loop of the connection; with false if the job is another's by now. Then
    ///     nothing happened.
    package func finish(
        _ delivery: Delivery, id: InsertionID?, responseKey: String?, sealed: [UInt8]?, ending: Ending,
        completion: @escaping @Sendable (Result<Bool, RedisError>) -> Void
    ) {
        endings.submit(
            FinishStep(
                entry: delivery.entry, size: delivery.size, id: id, responseKey: responseKey, sealed: sealed ?? [],
                ending: ending,
                completion: completion))
    }

    /// Ends a job and waits until Redis has said whether it was this worker's.
    package func finish(
        _ delivery: Delivery, id: InsertionID?, responseKey: String?, sealed: [UInt8]?, ending: Ending
    ) async throws(RedisError) -> Bool {
        try await result { completion in
            finish(delivery, id: id, responseKey: responseKey, sealed: sealed, ending: ending, completion: completion)
        }
    }

    private func result(
        _ submit: (@escaping @Sendable (Result<Bool, RedisError>) -> Void) -> Void
    ) async throws(RedisError) -> Bool {
        try await withCheckedContinuation { continuation in submit { continuation.resume(returning: $0) } }.get()
    }
}
