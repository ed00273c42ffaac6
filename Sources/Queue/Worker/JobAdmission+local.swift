package import Common
package import Redis

extension JobAdmission {
    /// Queues a job, together with all others of the turn. If the worker in this process has a free slot, the same step
    /// gives it the oldest job of the queue: this one, if none waits.
    /// - Parameters:
    ///   - local: the worker.
    ///   - client: takes the answer of a job that is worked on in this process; nil: job and answer go over Redis.
    ///   - completion: is called on the event loop of the connection. With an error that `mayHaveBeenExecuted` the job
    ///     may be queued all the same, and a caller that gives it up must cancel it.
    /// - Throws: `EnvelopeError` if the job cannot be sealed. Then nothing was done, and `completion` is not called.
    package func enqueue(
        _ job: Job, on local: LocalWorker? = nil, for client: (any LocalClient)? = nil,
        completion: @escaping @Sendable (Result<Outcome, RedisError>) -> Void
    ) throws(EnvelopeError) {
        let slot = client == nil ? nil : local?.reserve()
        do throws(EnvelopeError) {
            try enqueue(job, givingTo: slot?.consumer) { result in
                switch result {
                case .success(let reply): if let slot, let client { slot.start(reply.given, for: client) }
                case .failure: slot?.giveUp()
                }
                completion(result.map(\.outcome))
            }
        } catch {
            slot?.giveUp()
            throw error
        }
    }

    /// Queues a job and waits for the result.
    /// - Throws: `RedisError`, as the other function's completion is told, or `EnvelopeError`.
    package func enqueue(
        _ job: Job, on local: LocalWorker? = nil, for client: (any LocalClient)? = nil
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            do throws(EnvelopeError) {
                try enqueue(job, on: local, for: client) { continuation.resume(with: $0) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
