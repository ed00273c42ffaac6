package import Redis

extension JobScripts {
    /// Hands an entry back that this worker cannot read and another one may, without counting the delivery, unless it is so old that nothing waits for it.
    ///
    /// KEYS[1] -> job stream
    /// ARGV[1] -> group, ARGV[2] -> worker that gives back, ARGV[3] -> name of the consumer that never lives, ARGV[4] -> entry,
    /// ARGV[5] -> milliseconds after which nothing waits for an entry
    /// Output: milliseconds until nothing waits for it, by this server's clock; 0 if nothing does, and then it is still this worker's
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
}
