/// What makes a request that is sent again the same job (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header).
package struct Idempotency: Sendable, Equatable {
    /// How long a repetition is known, and so how long the answer is kept.
    package static let life = Duration.seconds(24 * 3600)

    /// The Redis key under which the job is found again. Made of the project, the account and the client's key, none of which can be read from it.
    package var key: String
    /// What the request was; the same key with another one is a mistake of the client's. Empty in a job off the queue: only who queues it compares.
    package let fingerprint: [UInt8]

    /// - Parameters:
    ///   - envelope: whose key the fingerprints depend on, so that nobody can try contents out on what stands in Redis.
    ///   - request: all that makes the request what it is.
    package init(clientKey: String, project: String, account: String?, request: [[UInt8]], envelope: Envelope) {
        let name = envelope.fingerprint(of: [project, account ?? "", account == nil ? "" : "account", clientKey].map { Array($0.utf8) })
        key = Keys.idempotency(name)
        fingerprint = envelope.fingerprint(of: request)
    }

    /// As it stands in a queued job.
    init(key: String) {
        self.key = key
        fingerprint = []
    }
}
