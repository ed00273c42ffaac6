/// What one gateway process tells the others about a job: nobody wants it any longer, or its slow reader has taken some bytes.
///
/// A key holds the truth for whoever comes later; a channel brings the news to whoever listens.
package struct JobNews: Sendable {
    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Cancels jobs.
    /// - Parameter life: how long the markers stay; longer than the jobs could last.
    package func cancel(_ ids: [InsertionID], life: Duration) async throws(RedisError) {
        try await tell(ids.map { (Keys.cancelled($0), "1", Keys.cancellations, $0.description) }, life: life)
    }

    /// Says how much of an answer was taken.
    package func credit(_ id: InsertionID, bytes: Int, life: Duration) async throws(RedisError) {
        try await tell([(Keys.credit(id), String(bytes), Keys.credits, "\(id) \(bytes)")], life: life)
    }

    private func tell(_ news: [(key: String, value: String, channel: String, message: String)], life: Duration) async throws(RedisError) {
        guard !news.isEmpty else { return }
        var batch: [RedisCommand] = []
        for item in news {
            batch.append(RedisCommand("SET", item.key, item.value, "PX", Int(max(life.milliseconds, 1))))
            batch.append(RedisCommand("PUBLISH", item.channel, item.message))
        }
        for reply in try await redis.send(batch: batch) { _ = try reply.get() }
    }
}
