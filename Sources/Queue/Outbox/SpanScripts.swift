package import Redis

/// The steps on the outbox that touch several keys.
package enum SpanScripts {
    /// Tells how far the other group of readers of a stream is. `other_of(stream, group, entries)` is nil if there is
    /// no such group, else a function that says of an entry `done`, `pending` or `waiting`.
    private static let otherGroup = """
        local function is_before(left, right)
            local time, count = string.match(left, '^(%d+)-(%d+)$')
            local other_time, other_count = string.match(right, '^(%d+)-(%d+)$')
            time, other_time = tonumber(time), tonumber(other_time)
            return time < other_time or time == other_time and tonumber(count) < tonumber(other_count)
        end
        local function other_of(stream, group, entries)
            local info
            for _, one in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do if one[2] == group then info = one end end
            if not info then return nil end
            local pending, first, last = {}, entries[1], entries[1]
            for _, entry in ipairs(entries) do
                if is_before(entry, first) then first = entry end
                if is_before(last, entry) then last = entry end
            end
            for _, one in ipairs(info[6] > 0 and redis.call('XPENDING', stream, group, first, last, 100000) or {}) do
                pending[one[1]] = true
            end
            return function(entry)
                if pending[entry] then return 'pending' end
                return is_before(info[8], entry) and 'waiting' or 'done'
            end
        end
        local function lower(counter, bytes)
            if bytes > 0 and redis.call('DECRBY', counter, bytes) <= 0 then redis.call('DEL', counter) end
        end

        """

    /// Spans have left the outbox: the trace store has accepted them, or they were given up. They are kept for a while,
    /// to be sent again, as far as there is room for them: the oldest go first. An entry goes when the request log has
    /// it too, or there is none.
    ///
    /// KEYS:
    /// - KEYS[1]: ids that wait
    /// - KEYS[2]: bytes of the spans that wait
    /// - KEYS[3]: list of kept spans
    /// - KEYS[4]: their bytes
    /// - KEYS[5]: bytes of what waits for the request log
    /// - KEYS[6…]: the spans
    ///
    /// ARGV:
    /// - ARGV[1]: the group
    /// - ARGV[2]: seconds for which they are kept (0: not at all)
    /// - ARGV[3]: most bytes of kept spans
    /// - ARGV[4]: the request log's group
    /// - ARGV[5…], for each span: its entry, its bytes
    ///
    /// Output: number of those that had waited.
    package static let settle = RedisScript(
        name: "settle",
        source: otherGroup + """
            local life, most, now = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(redis.call('TIME')[1])
            local settled, bytes, kept, unlogged, names, entries, gone = 0, 0, 0, 0, {}, {}, {}
            for index = 6, #KEYS do entries[index - 5] = ARGV[2 * index - 7] end
            local log = other_of(KEYS[1], ARGV[4], entries)
            for index = 6, #KEYS do
                local entry, size = entries[index - 5], ARGV[2 * index - 6]
                -- Another exporter may have sent it too, and been faster.
                if redis.call('XACK', KEYS[1], ARGV[1], entry) == 1 then
                    local isLogged = not log or log(entry) == 'done'
                    -- What the log has not read yet is there a little longer, though nothing sends it again.
                    local rest = life == 0 and not isLogged and 60 or life
                    if redis.call('EXPIRE', KEYS[index], rest) == 1 and life > 0 then
                        names[#names + 1] = now .. ' ' .. size .. ' ' .. KEYS[index]
                        kept = kept + size
                    end
                    settled = settled + 1
                    bytes = bytes + size
                    if isLogged then gone[#gone + 1] = entry end
                    if not log then unlogged = unlogged + size end
                end
            end
            if #gone > 0 then redis.call('XDEL', KEYS[1], unpack(gone)) end
            lower(KEYS[2], bytes)
            lower(KEYS[5], unlogged)
            if #names == 0 then return settled end
            redis.call('RPUSH', KEYS[3], unpack(names))
            local total = redis.call('INCRBY', KEYS[4], kept)
            local function goes(name)
                local time, size, span = string.match(name, '^(%d+) (%d+) (.+)$')
                if time and (total > most or now - time > life) then return time, size, span end
            end
            if goes(redis.call('LINDEX', KEYS[3], 0)) then
                local gone, freed = 0, 0
                -- More than come at a time, yet not so many that others wait.
                for _, name in ipairs(redis.call('LRANGE', KEYS[3], 0, 4 * #names + 8)) do
                    local time, size, span = goes(name)
                    if not time then break end
                    gone = gone + 1
                    freed = freed + size
                    total = total - size
                    -- One that waits again, or was accepted again later, has longer to live than this acceptance gave
                    -- it.
                    local left = redis.call('PTTL', span)
                    if left >= 0 and left <= (life - now + time + 1) * 1000 then redis.call('DEL', span) end
                end
                redis.call('LPOP', KEYS[3], gone)
                total = redis.call('DECRBY', KEYS[4], freed)
            end
            if total <= 0 then redis.call('DEL', KEYS[4]) end
            return settled
            """)

    /// An exporter stops: what it was given and has not settled looks to the others as if it was dead for a while.
    ///
    /// - KEYS[1]: ids that wait
    /// - ARGV[1]: the group
    /// - ARGV[2]: the exporter
    /// - ARGV[3]: milliseconds of silence after which an exporter counts as dead
    ///
    /// Output: number of entries.
    package static let handBack = RedisScript(
        name: "handBack",
        source: """
            local given = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 10000, ARGV[2])
            for _, entry in ipairs(given) do
                redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry[1], 'IDLE', ARGV[3], 'JUSTID')
            end
            return #given
            """)

    /// The request log has written rows, or given them up. An entry goes when no exporter waits for it either.
    ///
    /// - KEYS[1]: the stream
    /// - KEYS[2]: bytes of what waits for the request log
    /// - ARGV[1]: the group
    /// - ARGV[2]: the exporters' group, if the stream is a project's spans (empty: it is not)
    /// - ARGV[3…], for each record: its entry, its bytes
    ///
    /// Output: number of those that had waited.
    package static let settleRecords = RedisScript(
        name: "settleRecords",
        source: otherGroup + """
            local settled, bytes, entries, gone = 0, 0, {}, {}
            for index = 3, #ARGV, 2 do entries[#entries + 1] = ARGV[index] end
            local exporters = ARGV[2] ~= '' and other_of(KEYS[1], ARGV[2], entries)
            for index, entry in ipairs(entries) do
                if redis.call('XACK', KEYS[1], ARGV[1], entry) == 1 then
                    settled = settled + 1
                    bytes = bytes + ARGV[2 * index + 2]
                    -- Without their group the exporters are yet to come.
                    if ARGV[2] == '' or exporters and exporters(entry) == 'done' then gone[#gone + 1] = entry end
                end
            end
            if #gone > 0 then redis.call('XDEL', KEYS[1], unpack(gone)) end
            lower(KEYS[2], bytes)
            return settled
            """)

    /// Makes room in the outbox: takes spans off it and forgets them. An exporter that was given one finds that it
    /// is gone; the request log loses those that it has not read.
    ///
    /// KEYS:
    /// - KEYS[1]: ids that wait
    /// - KEYS[2]: bytes of the spans that wait
    /// - KEYS[3]: bytes of what waits for the request log
    /// - KEYS[4]: number of rows that the log has lost
    /// - KEYS[5…]: the spans
    ///
    /// ARGV:
    /// - ARGV[1]: the group
    /// - ARGV[2]: the request log's group
    /// - ARGV[3…], for each span: its entry, its bytes
    ///
    /// Output: bytes and number of those that went.
    package static let shed = RedisScript(
        name: "shed",
        source: otherGroup + """
            local bytes, count, unread, lost, entries = 0, 0, 0, 0, {}
            for index = 5, #KEYS do entries[index - 4] = ARGV[2 * index - 7] end
            local exporters, log = other_of(KEYS[1], ARGV[1], entries), other_of(KEYS[1], ARGV[2], entries)
            for index = 5, #KEYS do
                local entry, size = entries[index - 4], ARGV[2 * index - 6]
                -- What was accepted waits for the log alone.
                local isWaiting = not exporters or exporters(entry) ~= 'done'
                redis.pcall('XACK', KEYS[1], ARGV[1], entry)
                if isWaiting and redis.call('XDEL', KEYS[1], entry) == 1 then
                    redis.call('DEL', KEYS[index])
                    bytes = bytes + size
                    count = count + 1
                    local state = log and log(entry)
                    if not log or state == 'waiting' then unread = unread + size end
                    if state == 'waiting' then lost = lost + 1 end
                end
            end
            lower(KEYS[2], bytes)
            lower(KEYS[3], unread)
            if lost > 0 then redis.call('INCRBY', KEYS[4], lost) end
            return {bytes, count}
            """)

    /// Notes which projects an exporter sends spans of.
    ///
    /// - KEYS[1]: projects that are exported
    /// - ARGV[1]: seconds until one counts as not exported
    /// - ARGV[2…]: this exporter's projects
    ///
    /// Output: the projects that no exporter has named for so long.
    package static let noteExported = RedisScript(
        name: "noteExported",
        source: """
            local now = tonumber(redis.call('TIME')[1])
            for index = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[index], now) end
            local orphans, all = {}, redis.call('HGETALL', KEYS[1])
            for index = 1, #all, 2 do
                if now - (tonumber(all[index + 1]) or 0) > tonumber(ARGV[1]) then orphans[#orphans + 1] = all[index] end
            end
            return orphans
            """)

    /// Forgets a project that no exporter names, unless something of it waits.
    ///
    /// - KEYS[1]: ids that wait
    /// - KEYS[2]: projects that are exported
    /// - ARGV[1]: the project
    ///
    /// Output: 1 if it is forgotten.
    package static let forgetProject = RedisScript(
        name: "forgetProject",
        source: """
            if redis.call('XLEN', KEYS[1]) > 0 then return 0 end
            redis.call('DEL', KEYS[1])
            return redis.call('HDEL', KEYS[2], ARGV[1])
            """)

    /// Forgets spans that have left the outbox, and that the request log has read if there is one: it has read what was
    /// accepted before the oldest entry that it has not settled.
    ///
    /// - KEYS[1]: ids that wait
    /// - KEYS[2…]: spans
    /// - ARGV[1]: milliseconds for which a span is kept that has left the outbox; those that wait have longer to live
    /// - ARGV[2]: the request log's group
    ///
    /// Output: number of spans that were forgotten.
    package static let forgetSettled = RedisScript(
        name: "forgetSettled",
        source: """
            local function time_of(entry) return tonumber(string.match(entry, '^%d+')) end
            local unread = math.huge
            for _, group in ipairs(redis.pcall('XINFO', 'GROUPS', KEYS[1])) do
                if group[2] == ARGV[2] then
                    local stream = redis.call('XINFO', 'STREAM', KEYS[1])
                    for index = 1, #stream - 1, 2 do
                        if stream[index] == 'last-generated-id' and stream[index + 1] ~= group[8] then
                            unread = time_of(group[8])
                        end
                    end
                    if group[6] > 0 then
                        unread = math.min(unread, time_of(redis.call('XPENDING', KEYS[1], ARGV[2])[2]))
                    end
                end
            end
            local time = redis.call('TIME')
            local now, life = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[1])
            local forgotten = 0
            for index = 2, #KEYS do
                local left = redis.call('PTTL', KEYS[index])
                if left >= 0 and left <= life and now - (life - left) < unread then
                    forgotten = forgotten + redis.call('DEL', KEYS[index])
                end
            end
            return forgotten
            """)

    /// Lets the request log go from a stream: what waits for it alone is deleted, a page at a time, and then its group.
    ///
    /// - KEYS[1]: ids that wait
    /// - ARGV[1]: the request log's group
    /// - ARGV[2]: the exporters' group
    /// - ARGV[3]: the last entry looked at, as XRANGE has it
    ///
    /// Output: the last entry of the page; an empty text if the group is gone.
    package static let endLog = RedisScript(
        name: "endLog",
        source: otherGroup + """
            local page, entries, gone = redis.call('XRANGE', KEYS[1], ARGV[3], '+', 'COUNT', 1000), {}, {}
            for index, one in ipairs(page) do entries[index] = one[1] end
            if #entries == 0 then
                redis.pcall('XGROUP', 'DESTROY', KEYS[1], ARGV[1])
                return ''
            end
            local exporters = other_of(KEYS[1], ARGV[2], entries)
            for _, entry in ipairs(entries) do
                if exporters and exporters(entry) == 'done' then gone[#gone + 1] = entry end
            end
            if #gone > 0 then redis.call('XDEL', KEYS[1], unpack(gone)) end
            return entries[#entries]
            """)

    /// Forgets exporters that are gone and left nothing.
    ///
    /// - KEYS[1]: ids that wait
    /// - ARGV[1]: the group
    /// - ARGV[2]: milliseconds of silence after which an exporter is gone
    ///
    /// Output: number of exporters that were forgotten.
    package static let forget = RedisScript(
        name: "forget",
        source: """
            local forgotten = 0
            for _, consumer in ipairs(redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
                if consumer[4] == 0 and consumer[6] > tonumber(ARGV[2]) then
                    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer[2])
                    forgotten = forgotten + 1
                end
            end
            return forgotten
            """)
}
