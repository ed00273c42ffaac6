package import Common
package import Redis

/// The workers of a queue that are alive, by what their heartbeats say.
enum LiveWorkers {
    /// The heartbeat of a worker that makes calls with keys of the operator's.
    static let lending = "alive with keys"

    /// Counts the workers of a group that have a certain heartbeat.
    ///
    /// - KEYS[1]: the job stream
    /// - ARGV[1]: the group
    /// - ARGV[2]: prefix of liveness keys
    /// - ARGV[3]: the heartbeat that counts
    ///
    /// Output: number of workers that have it.
    static let lenders = RedisScript(
        name: "lenders",
        source: """
            local lenders = 0
            -- No stream or no group yet is an error, and no forwarder either.
            for _, consumer in ipairs(redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
                if redis.call('GET', ARGV[2] .. consumer[2]) == ARGV[3] then lenders = lenders + 1 end
            end
            return lenders
            """)
}

extension RedisClient {
    /// The number of live forwarders that make calls with keys of the operator's.
    package func keyLenders() async throws(RedisError) -> Int {
        let queue = WorkQueue.completions
        let lenders = try await evaluate(
            LiveWorkers.lenders, keys: [queue.stream], arguments: queue.group, queue.livenessPrefix,
            LiveWorkers.lending)
        return lenders.int ?? 0
    }

    /// The number of workers of a queue that are alive.
    package func liveWorkers(of queue: WorkQueue) async throws(RedisError) -> Int {
        let alive = try await evaluate(
            JobScripts.liveWorkers, keys: [queue.stream], arguments: queue.group, queue.livenessPrefix)
        return alive.int ?? 0
    }
}
