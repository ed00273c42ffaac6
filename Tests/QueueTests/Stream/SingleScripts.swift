import Redis

/// The steps on the queue as the version before batches made them, one job at a time, word for word. Processes of that
/// version may run beside newer ones, on the same keys.
enum SingleScripts {
    /// Records the insertion id and queues its job, if the queue has room (architecture §2.1).
    ///
    /// KEYS[1] -> job stream, KEYS[2] -> its byte counter, KEYS[3] -> bytes of spans that wait for their export,
    /// KEYS[4] -> rollout's set (this and the next four are empty for a call without a rollout), KEYS[5] -> its
    /// verdict, KEYS[6] -> its record, KEYS[7] -> the project's rollouts, KEYS[8] -> how many ids the set should have,
    /// KEYS[9] -> record of a job that can be fetched (absent for others), KEYS[10] -> what makes a repeated request
    /// this job (absent: nothing)
    /// ARGV[1] -> insertion id, ARGV[2] -> sealed job, ARGV[3] -> most entries, ARGV[4] -> most bytes, ARGV[5] -> life
    /// of the set in seconds, ARGV[6] -> project, ARGV[7] -> account (may be empty), ARGV[8] -> time in milliseconds
    /// since 1970, ARGV[9] -> deadline, likewise, ARGV[10] -> life of the record in milliseconds, ARGV[11] -> the
    /// request's fingerprint, ARGV[12] -> how long it is known in milliseconds, ARGV[13] -> when nobody waits for this
    /// step any longer by this server's clock, in milliseconds since 1970 (empty: not known), ARGV[14] -> most bytes of
    /// spans that wait for their export, ARGV[15] -> most rollouts that a project's list keeps, ARGV[16] -> the
    /// rollout's name, ARGV[17…19] -> its invocation, experiment and run, ARGV[20] -> group, ARGV[21] -> consumer that
    /// takes a job at once (empty: none), ARGV[22] -> whether the lives of what is kept of the rollout are renewed, and
    /// its place in the list (empty: only if it is new)
    /// Output: {result, this server's time in milliseconds since 1970}, and if the consumer was given a job the entry;
    /// with its fields, if it is an older one than this. The result is the insertion id of the job that this request
    /// repeats, as a string; else entries on the stream afterwards; -1 if there are too many, -2 if they hold too many
    /// bytes, -3 if something other than a set has the rollout's name, -4 if another request has the same idempotency
    /// key, -5 if nobody waits any longer, -6 if too many spans wait for their export
    static let enqueue = RedisScript(
        name: "enqueue",
        source: """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            -- Sent before the server stood still, and executed after: its sender has told the client that it was not.
            if ARGV[13] ~= '' and now > tonumber(ARGV[13]) then return {-5, now} end
            local known = KEYS[10] and redis.call('HMGET', KEYS[10], 'id', 'request') or {}
            if known[1] then return {known[2] == ARGV[11] and known[1] or -4, now} end
            local set = KEYS[4] ~= '' and KEYS[4]
            local entries = redis.call('XLEN', KEYS[1])
            if entries >= tonumber(ARGV[3]) then return {-1, now} end
            local bytes = entries == 0 and 0 or math.max(tonumber(redis.call('GET', KEYS[2]) or 0) or 0, 0)
            if entries > 0 and bytes + #ARGV[2] > tonumber(ARGV[4]) then return {-2, now} end
            if set then
                if (tonumber(redis.call('GET', KEYS[3]) or 0) or 0) >= tonumber(ARGV[14]) then return {-6, now} end
                -- The first write: a server without memory, and something other than a set, say so here.
                local added = redis.pcall('SADD', set, ARGV[1])
                if type(added) == 'table' then
                    if string.find(added.err, 'WRONGTYPE', 1, true) then return {-3, now} end
                    return added
                end
                redis.call('EXPIRE', set, ARGV[5])
                redis.call('DEL', KEYS[5])
                local renews = ARGV[22] ~= ''
                if added == 1 then
                    local count = tonumber(redis.pcall('INCR', KEYS[8])) or 0
                    local recorded = tonumber(redis.pcall('HINCRBY', KEYS[6], 'ids', 1)) or 0
                    renews = renews or count <= 1 or recorded <= 1
                    -- Either of the two may have been lost; who counted more knows better.
                    if count < recorded then redis.call('SET', KEYS[8], recorded, 'KEEPTTL')
                    elseif recorded < count then redis.pcall('HSET', KEYS[6], 'ids', count) end
                end
                if renews then
                    redis.call('ZADD', KEYS[7], now, ARGV[16])
                    redis.call('EXPIRE', KEYS[7], ARGV[5])
                    if redis.pcall('HSETNX', KEYS[6], 'at', now) == 1 then
                        redis.call('HSET', KEYS[6], 'invocation_id', ARGV[17], 'experiment_id', ARGV[18], 'run_id', ARGV[19])
                        redis.call('ZREMRANGEBYRANK', KEYS[7], 0, -1 - ARGV[15])
                    end
                    redis.call('EXPIRE', KEYS[6], ARGV[5])
                    redis.call('EXPIRE', KEYS[8], 2 * ARGV[5])
                end
            end
            local entry = redis.call('XADD', KEYS[1], '*', 'i', ARGV[1], 'p', ARGV[2])
            redis.call('SET', KEYS[2], bytes + #ARGV[2])
            if KEYS[9] then
                local rank = 0
                local info = redis.call('XINFO', 'STREAM', KEYS[1])
                for index = 1, #info, 2 do
                    if info[index] == 'entries-added' then rank = info[index + 1] end
                end
                redis.call('HSET', KEYS[9], 'project', ARGV[6], 'account', ARGV[7], 'rank', rank, 'at', ARGV[8], 'until', ARGV[9])
                redis.call('PEXPIRE', KEYS[9], ARGV[10])
            end
            if KEYS[10] then
                redis.call('HSET', KEYS[10], 'id', ARGV[1], 'request', ARGV[11])
                redis.call('PEXPIRE', KEYS[10], ARGV[12])
            end
            -- The oldest comes first, whichever it is. Without a group there is nothing to take, and the job waits for one.
            local given = ARGV[21] ~= '' and redis.pcall('XREADGROUP', 'GROUP', ARGV[20], ARGV[21], 'COUNT', 1, 'STREAMS', KEYS[1], '>')
            if not given or given.err then return {entries + 1, now} end
            given = given[1][2][1]
            return {entries + 1, now, given[1], given[1] ~= entry and given[2] or nil}
            """)

    /// Sends a frame in the middle of an answer, if this forwarder still owns the job. From then on the call is not
    /// repeated.
    ///
    /// KEYS[1] -> job stream, KEYS[2] -> response stream, KEYS[3] -> the job's own response stream, KEYS[4] -> started
    /// marker
    /// ARGV[1] -> group, ARGV[2] -> forwarder, ARGV[3] -> entry, ARGV[4] -> insertion id, ARGV[5] -> sealed frame
    /// (empty: it goes another way), ARGV[6] -> life of the job's own stream in seconds, ARGV[7] -> life of the marker
    /// in milliseconds
    /// Output: 1, or 0 if the job is another's
    static let deliver = RedisScript(
        name: "deliver",
        source: ownershipCheck + """
            if ARGV[5] ~= '' then send(KEYS[2], KEYS[3], ARGV[4], ARGV[5], ARGV[6]) end
            redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[7])
            return 1
            """)

    /// Ends a job, if this forwarder still owns it (architecture §2.2): the last frame, the set, the trace, the dead
    /// letter, then the acknowledgement.
    ///
    /// KEYS[1] -> job stream, KEYS[2] -> response stream, KEYS[3] -> the job's own response stream, KEYS[4] -> started
    /// marker, KEYS[5] -> byte counter, KEYS[6] -> dead letters, KEYS[7] -> rollout's set, from which the id is removed
    /// (this and the next two empty: it stays), KEYS[8] -> its verdict, KEYS[9] -> its record, KEYS[10] -> the job's
    /// span (this and the next two empty: it has none), KEYS[11] -> ids of spans that wait for their export, KEYS[12]
    /// -> bytes of these spans, KEYS[13] -> how many ids the set should have (empty: the id stays), KEYS[14] -> what
    /// makes a repeated request this job, if it shall not any longer (absent: it shall)
    /// ARGV[1] -> group, ARGV[2] -> forwarder, ARGV[3] -> entry, ARGV[4] -> insertion id, ARGV[5] -> sealed frame
    /// (empty: none), ARGV[6] -> life of the job's own stream in seconds, ARGV[7] -> reason for the dead letters
    /// (empty: not one), ARGV[8] -> most dead letters, ARGV[9] -> bytes of a payload that a dead letter may keep,
    /// ARGV[10] -> bytes of the entry's payload, ARGV[11] -> sealed span, ARGV[12] -> how long it may wait for its
    /// export in seconds
    /// Output: 1, or 0 if the job is another's
    static let finish = RedisScript(
        name: "finish",
        source: ownershipCheck + """
            if ARGV[5] ~= '' then send(KEYS[2], KEYS[3], ARGV[4], ARGV[5], ARGV[6]) end
            -- Somebody may have put something else there meanwhile; that must not keep the job from its end.
            if KEYS[7] ~= '' and redis.pcall('SREM', KEYS[7], ARGV[4]) == 1 then
                redis.call('DEL', KEYS[8])
                if redis.call('EXISTS', KEYS[9]) == 1 then redis.pcall('HINCRBY', KEYS[9], 'failed', 1) end
                if (tonumber(redis.pcall('GET', KEYS[13])) or 0) > 0 then redis.call('DECR', KEYS[13]) end
                if (tonumber(redis.pcall('HGET', KEYS[9], 'ids')) or 0) > 0 then redis.call('HINCRBY', KEYS[9], 'ids', -1) end
            end
            if KEYS[10] ~= '' then
                redis.call('SET', KEYS[10], ARGV[11], 'EX', ARGV[12])
                redis.call('XADD', KEYS[11], '*', 'i', ARGV[4], 'n', #ARGV[11], KEYS[7] ~= '' and 'failed' or 'succeeded', '')
                redis.call('INCRBY', KEYS[12], #ARGV[11])
            end
            if KEYS[14] and redis.pcall('HGET', KEYS[14], 'id') == ARGV[4] then redis.call('DEL', KEYS[14]) end
            if ARGV[7] ~= '' then
                local letter = {'reason', ARGV[7], 'entry', ARGV[3], 'i', ARGV[4], 'bytes', ARGV[10]}
                local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
                for index = 1, entry and #entry[2] or 0, 2 do
                    if entry[2][index] == 'p' and #entry[2][index + 1] <= tonumber(ARGV[9]) then
                        letter[9], letter[10] = 'p', entry[2][index + 1]
                    end
                end
                redis.call('XADD', KEYS[6], 'MAXLEN', ARGV[8], '*', unpack(letter))
            end
            redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
            redis.call('XDEL', KEYS[1], ARGV[3])
            redis.call('DEL', KEYS[4])
            if redis.call('XLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[5])
            else redis.call('DECRBY', KEYS[5], ARGV[10]) end
            return 1
            """)

    /// Opens a script that acts for a job's owner alone. A forwarder that was believed dead, and lives, is stopped
    /// here: it owns nothing any longer.
    private static let ownershipCheck = """
        local function send(shared, own, id, frame, life)
            if not redis.call('XADD', shared, 'NOMKSTREAM', '*', 'i', id, 'p', frame) then
                redis.call('XADD', own, '*', 'i', id, 'p', frame)
                redis.call('EXPIRE', own, life)
            end
        end
        -- Where the stream or its group is gone, as after a flush, this is an error without elements: nobody owns anything.
        if #redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2]) == 0 then return 0 end

        """
}
