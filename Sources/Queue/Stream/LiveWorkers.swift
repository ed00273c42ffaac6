package import Common
package import Redis

extension RedisClient {
    /// The number of workers of a queue that are alive.
    package func liveWorkers(of queue: WorkQueue) async throws(RedisError) -> Int {
        let alive = try await evaluate(
            JobScripts.liveForwarders, keys: [queue.stream], arguments: queue.group, queue.livenessPrefix)
        return alive.int ?? 0
    }
}
