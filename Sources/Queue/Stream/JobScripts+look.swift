internal import Redis

extension JobScripts {
    /// Looks at streams, and changes nothing.
    ///
    /// - KEYS: streams
    /// - ARGV[1]: most workers of a group
    /// - ARGV[2…]: for each stream the prefix of its workers' liveness keys, or nothing
    ///
    /// Output: {the server's seconds, microseconds, then each stream}, where
    /// - a stream is {length, oldest entry (empty: none), groups}
    /// - a group is {name, lag (-1: not known), pending, number of workers, workers}
    /// - a worker is {name, pending, idle, 1 if it lives}
    static let look = RedisScript(
        name: "look",
        source: """
            local function members(reply)
                local said = {}
                for index = 1, #reply, 2 do said[reply[index]] = reply[index + 1] end
                return said
            end
            local time = redis.call('TIME')
            local found = {tonumber(time[1]), tonumber(time[2])}
            for place, stream in ipairs(KEYS) do
                local length = redis.pcall('XLEN', stream)
                -- What something else has put there is no stream of ours.
                if type(length) ~= 'number' then length = 0 end
                local first = length > 0 and redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
                local groups = {}
                for _, reply in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
                    local group, workers = members(reply), {}
                    local all = redis.call('XINFO', 'CONSUMERS', stream, group['name'])
                    for index = 1, math.min(#all, tonumber(ARGV[1])) do
                        local worker, prefix = members(all[index]), ARGV[place + 1]
                        local alive = prefix ~= '' and redis.call('EXISTS', prefix .. worker['name']) or 0
                        workers[index] = {worker['name'], worker['pending'], worker['idle'], alive}
                    end
                    groups[#groups + 1] = {group['name'], group['lag'] or -1, group['pending'], #all, workers}
                end
                found[#found + 1] = {length, first and first[1] or '', groups}
            end
            return found
            """)
}
