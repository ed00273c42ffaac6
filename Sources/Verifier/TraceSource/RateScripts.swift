internal import Common
internal import Redis

/// The steps on a rate limit's hash. Fields: `left` calls until `reset`, and `pause`: no call before; times in
/// milliseconds since 1970 by the server's clock.
enum RateScripts {
    /// What lies further ahead than anything is believed is forgotten: it was told before the server's clock was put
    /// back, or to a process that is gone.
    ///
    /// KEYS[1] -> limit; ARGV[1] -> calls to leave alone, ARGV[2] -> milliseconds ahead that are believed
    /// Output: milliseconds to wait; 0 if a call was taken
    static let take = RedisScript(
        name: "takeCall",
        source: """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local known = redis.call('HMGET', KEYS[1], 'left', 'reset', 'pause')
            local left, reset, pause = tonumber(known[1] or ''), tonumber(known[2] or ''), tonumber(known[3] or '')
            local ahead = now + tonumber(ARGV[2])
            if pause and pause > ahead then
                redis.call('HDEL', KEYS[1], 'pause')
                pause = nil
            end
            if reset and reset > ahead then
                redis.call('HDEL', KEYS[1], 'left', 'reset')
                reset = nil
            end
            if pause and pause > now then return pause - now end
            if not left or not reset or reset <= now then return 0 end
            if left <= tonumber(ARGV[1]) then return reset - now end
            redis.call('HINCRBY', KEYS[1], 'left', -1)
            return 0
            """)

    /// Answers arrive in another order than they were made: within a window, what is left only becomes less, and a
    /// pause only longer.
    ///
    /// KEYS[1] -> limit; ARGV[1] -> calls left (empty: not told), ARGV[2] -> milliseconds until the window begins anew (likewise),
    /// ARGV[3] -> milliseconds to pause (empty: none)
    /// Output: 1
    static let learn = RedisScript(
        name: "learnLimit",
        source: """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local known = redis.call('HMGET', KEYS[1], 'left', 'reset', 'pause')
            local left, reset, pause = tonumber(known[1] or ''), tonumber(known[2] or '') or 0, tonumber(known[3] or '') or 0
            if ARGV[1] ~= '' then
                local told, over = tonumber(ARGV[1]), now + tonumber(ARGV[2])
                -- The same window, told to the second.
                if left and math.abs(over - reset) < 2000 then told = math.min(told, left) end
                left, reset = told, over
                redis.call('HSET', KEYS[1], 'left', left, 'reset', reset)
            end
            if ARGV[3] ~= '' then
                pause = math.max(pause, now + tonumber(ARGV[3]))
                redis.call('HSET', KEYS[1], 'pause', pause)
            end
            redis.call('PEXPIRE', KEYS[1], math.max(reset, pause) - now + 1000)
            return 1
            """)
}
