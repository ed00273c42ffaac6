package import Redis

/// The steps on the queue that touch several keys. Each is one Lua script, so nothing comes between its parts, and it
/// happens whole or not at all. The exception is a command that fails, so the commands that can fail come first.
///
/// The steps of jobs that begin, go on and end are done for many jobs at once (``StepBatcher``), each with its own
/// result.
///
/// The scripts name all keys of their jobs, so they need a Redis that holds all of them: one server, not a cluster.
package enum JobScripts {
    /// Takes over what dead workers have left pending, and forgets workers that left nothing (architecture §2.4).
    /// An entry that this worker was given long ago and does not work on never reached it, because a connection
    /// broke on the way. Such an entry is given again.
    ///
    /// KEYS[1]: the job stream
    ///
    /// ARGV:
    /// - ARGV[1]: the group
    /// - ARGV[2]: the worker that takes
    /// - ARGV[3]: most entries
    /// - ARGV[4]: prefix of liveness keys
    /// - ARGV[5]: most bytes
    /// - ARGV[6]: milliseconds after which an answer of Redis is no longer on its way
    /// - ARGV[7]: time by this server's clock at which the question was asked, in milliseconds since 1970
    /// - ARGV[8…]: entries that this worker works on
    ///
    /// Output: array of {entry, deliveries before this one, fields}. The fields are left out if they alone are longer
    /// than Redis lets a string be.
    package static let claim = RedisScript(
        name: "claim",
        source: """
            local taken, known = {}, {}
            local room, bytes = tonumber(ARGV[3]), tonumber(ARGV[5])
            -- Asked before the server stood still, and answered after: the living have had no time to say that they live.
            local time = redis.call('TIME')
            if time[1] * 1000 + time[2] / 1000 - tonumber(ARGV[7]) > 2000 then return taken end
            for index = 8, #ARGV do known[ARGV[index]] = true end
            local function take(name, idle)
                for _, left in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', idle, '-', '+', room + #ARGV - 7, name)) do
                    if room == 0 or bytes <= 0 then return end
                    local claimed = not known[left[1]] and redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, left[1])[1]
                    if claimed then
                        local size = 0
                        for _, text in ipairs(claimed[2]) do size = size + #text end
                        taken[#taken + 1] = {claimed[1], left[4], size <= 536870912 and claimed[2] or {}}
                        room = room - 1
                        bytes = bytes - size
                    end
                end
            end
            for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
                local name, pending = consumer[2], consumer[4]
                if name == ARGV[2] then
                    take(name, ARGV[6])
                elseif redis.call('EXISTS', ARGV[4] .. name) == 0 then
                    if pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name) else take(name, 0) end
                end
            end
            return taken
            """)

    /// Hands entries back without counting this delivery. They go to a consumer that never lives, from which the others
    /// take them.
    ///
    /// KEYS[1]: the job stream
    ///
    /// ARGV:
    /// - ARGV[1]: the group
    /// - ARGV[2]: the worker that gives back
    /// - ARGV[3]: name of the consumer that never lives
    /// - ARGV[4…]: entries
    ///
    /// Output: number of entries handed back.
    package static let release = RedisScript(
        name: "release",
        source: """
            local released = 0
            for index = 4, #ARGV do
                local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[index], ARGV[index], 1, ARGV[2])[1]
                if pending then
                    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, ARGV[index], 'RETRYCOUNT', math.max(pending[4] - 1, 0), 'JUSTID')
                    released = released + 1
                end
            end
            return released
            """)

    /// Makes an ingress's response stream exist, so that answers are sent there.
    ///
    /// KEYS[1]: the response stream. ARGV[1]: its life in seconds.
    ///
    /// Output: 1 if it was there, 0 if it had to be made.
    package static let attach = RedisScript(
        name: "attach",
        source: """
            local existed = redis.call('EXISTS', KEYS[1])
            if existed == 0 then redis.call('XADD', KEYS[1], '*', 'i', '') end
            redis.call('EXPIRE', KEYS[1], ARGV[1])
            return existed
            """)

    /// Looks up a job that can be fetched.
    ///
    /// - KEYS[1]: the job's record
    /// - KEYS[2]: the job stream
    /// - ARGV[1]: the group
    ///
    /// Output: {project, account, rank, time, deadline, entries that the group has been given (-1: not known)}; empty
    /// if there is no such job.
    package static let lookUp = RedisScript(
        name: "lookUp",
        source: """
            local record = redis.call('HMGET', KEYS[1], 'project', 'account', 'rank', 'at', 'until')
            if not record[1] then return {} end
            record[6] = -1
            for _, group in ipairs(redis.pcall('XINFO', 'GROUPS', KEYS[2])) do
                local said = {}
                for index = 1, #group, 2 do said[group[index]] = group[index + 1] end
                if said['name'] == ARGV[1] then
                    -- Before its first read a group does not say what it has read, only what it has not.
                    record[6] = said['entries-read'] or said['lag'] and 0 or -1
                end
            end
            return record
            """)

    /// Counts the workers that are alive.
    ///
    /// - KEYS[1]: the job stream
    /// - ARGV[1]: the group
    /// - ARGV[2]: prefix of liveness keys
    ///
    /// Output: their number.
    package static let liveWorkers = RedisScript(
        name: "liveWorkers",
        source: """
            local alive = 0
            -- Without a stream or a group there is an error, and no worker.
            for _, consumer in ipairs(redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
                alive = alive + redis.call('EXISTS', ARGV[2] .. consumer[2])
            end
            return alive
            """)
}

extension JobScripts {
    /// The time of the server, as `now`, in milliseconds since 1970.
    package static let clock = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)

        """

    /// Does a step for each job of a batch. One that fails in its middle has its error for a result, and the others go
    /// on.
    static let attempts = """
        local function attempt(step, count)
            local results = {}
            for place = 1, count do
                local isDone, result = pcall(step, place)
                if not isDone and type(result) ~= 'table' then result = {err = result} end
                -- A replica takes no write of any job: nothing was done, and its word is the whole batch's
                -- (`RedisRefusal`).
                if type(result) == 'table' and result.err and string.find(result.err, '^%-?READONLY') then
                    return result
                end
                results[place] = result
            end
            return results
        end

        """
}
