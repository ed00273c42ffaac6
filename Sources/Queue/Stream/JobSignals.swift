package import Common
package import Redis

/// Signals between gateway processes about a job: it is no longer wanted, or its slow reader has taken some bytes.
///
/// A key holds the truth for processes that come later; a channel brings the signals to those that listen.
package struct JobSignals: Sendable {
    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Cancels a job.
    /// - Parameters:
    ///   - handedOver: bytes of the answer that the client had when it left; nil if that is not known, or did not end
    ///     the job.
    ///   - life: the time for which the marker stays; longer than the job could last.
    package func cancel(_ id: InsertionID, handedOver: Int? = nil, life: Duration) async throws(RedisError) {
        let cancellation = Cancellation(handedOver: handedOver)
        try await tell(
            (Keys.cancelled(id), cancellation.marker, Keys.cancellations, cancellation.message(of: id)), life: life)
    }

    /// Says how much of an answer was taken.
    package func credit(_ id: InsertionID, bytes: Int, life: Duration) async throws(RedisError) {
        try await tell((Keys.credit(id), String(bytes), Keys.credits, "\(id) \(bytes)"), life: life)
    }

    private func tell(
        _ signals: (key: String, value: String, channel: String, message: String), life: Duration
    ) async throws(RedisError) {
        let batch = [
            RedisCommand("SET", signals.key, signals.value, "PX", Int(max(life.milliseconds, 1))),
            RedisCommand("PUBLISH", signals.channel, signals.message),
        ]
        for reply in try await redis.send(batch: batch) { _ = try reply.get() }
    }
}
