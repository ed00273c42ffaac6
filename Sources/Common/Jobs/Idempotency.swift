/// Identifies a repeated request as the same job (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header).
package struct Idempotency: Sendable, Equatable {
    /// The time for which a repetition is known, and so the time for which the answer is kept.
    package static let life = Duration.seconds(24 * 3600)

    /// The Redis key under which the job is found again. Made of the project, the account and the client's key, none of
    /// which can be read from it.
    package var key: String
    /// The request's fingerprint; one with the same key must match. Only queueing compares it: empty off the queue.
    package let fingerprint: [UInt8]

    /// - Parameters:
    ///   - envelope: its key goes into the fingerprints, so that a reader of Redis cannot test guesses of a request.
    ///   - request: all that makes the request what it is.
    package init(clientKey: String, project: String, account: String?, request: [[UInt8]], envelope: Envelope) {
        let name = envelope.fingerprint(
            of: [project, account ?? "", account == nil ? "" : "account", clientKey].map { Array($0.utf8) })
        key = Keys.idempotency(name)
        fingerprint = envelope.fingerprint(of: request)
    }

    /// As it stands in a queued job.
    init(key: String) {
        self.key = key
        fingerprint = []
    }
}
