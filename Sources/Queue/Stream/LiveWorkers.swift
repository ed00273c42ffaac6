package import Common
package import Redis

extension RedisClient {
    /// How many workers of a queue are alive.
    package func liveWorkers(of queue: WorkQueue) async throws(RedisError) -> Int {
        let alive = try await evaluate(
            JobScripts.liveForwarders, keys: [queue.stream], arguments: queue.group, queue.livenessPrefix)
        return alive.int ?? 0
    }
}
