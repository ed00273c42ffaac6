package import Redis

extension JobScripts {
    /// Hands an entry back that this worker cannot read and another one may. The delivery is not counted. An entry that
    /// is so old that nothing waits for it stays with this worker.
    ///
    /// KEYS[1]: the job stream
    ///
    /// ARGV:
    /// - ARGV[1]: the group
    /// - ARGV[2]: the worker that gives back
    /// - ARGV[3]: name of the consumer that never lives
    /// - ARGV[4]: the entry
    /// - ARGV[5]: milliseconds after which nothing waits for an entry
    ///
    /// Output: milliseconds until nothing waits for the entry, by this server's clock. 0 if nothing does; the entry is
    /// then still this worker's.
    package static let leave = RedisScript(
        name: "leave",
        source: """
            local time = redis.call('TIME')
            local queued = tonumber(string.match(ARGV[4], '^%d+')) or 0
            local left = queued + ARGV[5] - time[1] * 1000 - math.floor(time[2] / 1000)
            if left <= 0 then return 0 end
            local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[4], ARGV[4], 1, ARGV[2])[1]
            if pending then
                redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, ARGV[4], 'RETRYCOUNT', math.max(pending[4] - 1, 0), 'JUSTID')
            end
            return left
            """)

    /// Looks whether a job has ended as its worker meant to end it. Without the stream's group, as after a flush, or
    /// the rollout's set, nothing is known.
    ///
    /// - KEYS[1]: the job stream
    /// - KEYS[2]: the rollout's set (empty: the job has none)
    /// - ARGV[1]: the group
    /// - ARGV[2]: the entry
    /// - ARGV[3]: the insertion id
    /// - ARGV[4]: 1 if the set shall have the id, else 0
    ///
    /// Output: 1 if it has ended so, 0 if it has not or nothing is known.
    static let hasEnded = RedisScript(
        name: "hasEnded",
        source: """
            local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
            if pending.err or #pending > 0 then return 0 end
            if KEYS[2] == '' then return 1 end
            return redis.pcall('SISMEMBER', KEYS[2], ARGV[3]) == tonumber(ARGV[4]) and 1 or 0
            """)
}
