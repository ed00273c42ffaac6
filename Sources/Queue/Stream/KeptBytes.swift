package import Common
package import Redis

/// The bytes of Redis's memory that are kept for later, beyond the life of a call, by all processes together: answers
/// that can be fetched, the records by which their jobs are known, and the rollouts' logs (`KEPT_BYTES`).
///
/// Redis does not say when something expires. So the bytes are counted by the minute in which they expire, and a minute
/// that is over counts no longer. The scripts that write such bytes count them in the same step.
package enum KeptBytes {
    /// The bytes that are set aside for each job whose answer is to be kept, until the job ends: what Redis takes for
    /// an answer of 256 KiB. Such an answer is kept in any case. The rest of a longer one is kept as far as there is
    /// room.
    package static let reserved = 320 << 10

    /// The part of what was set aside for a job that its answer has not used.
    package struct Reservation: Sendable, Equatable {
        /// The time past its job's deadline at which it ends, if nothing has ended the job by then.
        private static let grace = Duration.seconds(60)

        package var bytes: Int
        /// The time at which the reservation ends by itself.
        package var end: Timestamp

        /// - Parameter used: bytes of the answer that are kept by now.
        package init(of job: Job, used: Int = 0) {
            bytes = max(KeptBytes.reserved - used, 0)
            end = (job.deadline + Self.grace).timestamp
        }
    }

    /// The bytes that are kept now.
    package static func count(in redis: RedisClient) async throws(RedisError) -> Int {
        try await redis.evaluate(look, keys: [Keys.kept]).int ?? 0
    }

    /// Reads the bytes that are kept now.
    ///
    /// KEYS[1]: the hash in which they are counted. Output: bytes.
    private static let look = RedisScript(
        name: "keptBytes",
        source: JobScripts.clock + functions + """
            kept_key = KEYS[1]
            return (kept_bytes())
            """)

    /// Counts the bytes that are kept, by the time of ``JobScripts/clock``. A script sets `kept_key` and calls
    /// `write_kept` at its end.
    ///
    /// The key is a hash: `total`, bytes by the minute since 1970 in which they expire, and `from`, the first minute
    /// that may be among them. A value of another kind there, as another program may have written it, is counted as
    /// nothing and keeps no job from its end.
    ///
    /// The sizes are Redis's own, measured. A stream begins with a block of 4 KiB. An entry of more than about a
    /// kilobyte has a block of its own, of a size that jemalloc has.
    package static let functions = """
        local kept_key, kept_total, kept_from, kept_changes = nil, nil, nil, nil
        local kept_record, kept_reserved = 256, \(reserved)

        -- The bytes that are kept. What has expired is passed over, and no longer looked at once something is written.
        local function kept_bytes()
            if kept_total then return kept_total end
            local this = math.floor(now / 60000)
            local state = redis.pcall('HMGET', kept_key, 'total', 'from')
            kept_total, kept_from = tonumber(state[1]) or 0, tonumber(state[2]) or this
            -- Nothing is kept for so long.
            if this - kept_from > 10000 then kept_total, kept_from = 0, this end
            while kept_from < this do
                kept_total = kept_total - (tonumber(redis.pcall('HGET', kept_key, kept_from)) or 0)
                kept_from = kept_from + 1
            end
            kept_total = math.max(kept_total, 0)
            return kept_total
        end

        -- Counts bytes that expire at a time; fewer than none are no longer kept.
        local function keep(bytes, ends)
            kept_bytes()
            local minute = math.floor(ends / 60000)
            if bytes > 0 then minute = math.max(minute, kept_from) end
            kept_changes = kept_changes or {}
            kept_changes[minute] = (kept_changes[minute] or 0) + bytes
            kept_total = math.max(kept_total + bytes, 0)
        end

        local function write_kept()
            if not kept_changes then return end
            local state = redis.pcall('HMGET', kept_key, 'total', 'from')
            local total, from, last = tonumber(state[1]) or 0, tonumber(state[2]) or kept_from, 0
            if kept_from - from > 10000 then
                redis.pcall('DEL', kept_key)
                total, from = 0, kept_from
            end
            for minute = from, kept_from - 1 do
                local expired = tonumber(redis.pcall('HGET', kept_key, minute))
                if expired then
                    redis.pcall('HDEL', kept_key, minute)
                    total = total - expired
                end
            end
            for minute, bytes in pairs(kept_changes) do
                local before = tonumber(redis.pcall('HGET', kept_key, minute)) or 0
                local after = math.max(before + bytes, 0)
                if after > 0 then redis.pcall('HSET', kept_key, minute, after)
                else redis.pcall('HDEL', kept_key, minute) end
                total, last = total + after - before, math.max(last, after > 0 and minute or 0)
            end
            if total <= 0 then return redis.pcall('DEL', kept_key) end
            redis.pcall('HSET', kept_key, 'total', total, 'from', kept_from)
            local ends = (last + 1) * 60000
            if last > 0 and (tonumber(redis.pcall('PEXPIRETIME', kept_key)) or 0) < ends then
                redis.pcall('PEXPIREAT', kept_key, ends)
            end
        end

        -- The size of a block for so many bytes: between two powers of two there are four.
        local function block_bytes(bytes)
            local _, exponent = math.frexp(bytes - 1)
            local step = 2 ^ (exponent - 3)
            return math.ceil(bytes / step) * step
        end

        -- The bytes that an entry of a size adds to a stream.
        local function entry_bytes(size, is_first)
            local bytes = size > 1000 and block_bytes(size + 60) + 500 or size + 80
            return is_first and math.max(bytes + 200, 4800) or bytes
        end

        -- The bytes of a stream whose entries have so many together.
        local function stream_bytes(bytes, entries)
            return math.max(entries * entry_bytes(math.floor(bytes / entries)) + 200, 4800)
        end

        """
}
