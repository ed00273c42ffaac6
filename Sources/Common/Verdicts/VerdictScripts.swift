internal import Redis

/// The steps around a verdict that must not be torn apart.
///
/// A verdict is true for one state of the rollout's set: each change of the set deletes the verdict's hash in the same
/// step. A verifier marks the hash before it reads the set, and writes only if the mark, and so the set, is unchanged.
enum VerdictScripts {
    /// Leaves a mark in front of the reading of a set.
    ///
    /// KEYS[1] -> verdict, KEYS[2] -> rollout's set, KEYS[3] -> rollout's record, KEYS[4] -> how many ids the set should have,
    /// KEYS[5] -> ids that were seen in the trace store
    /// ARGV[1] -> mark, ARGV[2] -> most fields of the hash: marks of verifiers that died are cleared when there are more
    /// Output: {size of the set, completions that failed, ids that it should have (fewer if some were not counted), ids that were seen}; {-1, 0} if there is no
    /// such rollout, {-2, 0} if its name is something else's
    static let begin = RedisScript(
        name: "beginVerdict",
        source: """
            local kind = redis.call('TYPE', KEYS[2]).ok
            if kind ~= 'set' and kind ~= 'none' then return {-2, 0} end
            if kind == 'none' and redis.call('EXISTS', KEYS[3]) == 0 then return {-1, 0} end
            local failed = tonumber(redis.pcall('HGET', KEYS[3], 'failed') or 0) or 0
            if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
            redis.call('HSET', KEYS[1], ARGV[1], 1)
            local life = redis.call('PTTL', kind == 'set' and KEYS[2] or KEYS[3])
            if life > 0 then redis.call('PEXPIRE', KEYS[1], life) else redis.call('PERSIST', KEYS[1]) end
            local count = tonumber(redis.pcall('GET', KEYS[4])) or 0
            local seen = redis.pcall('SCARD', KEYS[5])
            local ids = math.max(count, tonumber(redis.pcall('HGET', KEYS[3], 'ids')) or 0)
            return {redis.call('SCARD', KEYS[2]), failed, ids, type(seen) == 'number' and seen or 0}
            """)

    /// Writes a verdict if the set has not changed since the mark was left. Who saw every trace knows more than who saw
    /// less of them, however late it comes.
    ///
    /// KEYS[1] -> verdict; ARGV[1] -> mark, ARGV[2…] -> fields and values
    /// Output: 1, or 0 if the set has changed
    static let write = RedisScript(
        name: "writeVerdict",
        source: """
            if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
            if redis.call('HGET', KEYS[1], 'verdict') ~= 'complete' then redis.call('HSET', KEYS[1], unpack(ARGV, 2)) end
            -- The mark last: a hash without fields is deleted, and its life with it.
            redis.call('HDEL', KEYS[1], ARGV[1])
            return 1
            """)
}
