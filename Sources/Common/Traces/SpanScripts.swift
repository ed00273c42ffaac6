/// The steps on the outbox that touch several keys.
package enum SpanScripts {
    /// Spans have left the outbox: the trace store has accepted them, or they were given up. They are kept for a while, to be sent again.
    ///
    /// KEYS[1] -> ids that wait, KEYS[2] -> bytes of the spans that wait, KEYS[3…] -> the spans
    /// ARGV[1] -> group, ARGV[2] -> how long they are kept in seconds, ARGV[3…] -> for each span: its entry, its bytes
    /// Output: how many had waited
    package static let settle = RedisScript(
        name: "settle",
        source: """
            local settled, bytes = 0, 0
            for index = 3, #KEYS do
                local entry, size = ARGV[2 * index - 3], ARGV[2 * index - 2]
                -- Another exporter may have sent it too, and been faster.
                if redis.call('XACK', KEYS[1], ARGV[1], entry) == 1 then
                    redis.call('XDEL', KEYS[1], entry)
                    redis.call('EXPIRE', KEYS[index], ARGV[2])
                    settled = settled + 1
                    bytes = bytes + size
                end
            end
            if bytes > 0 and redis.call('DECRBY', KEYS[2], bytes) <= 0 then redis.call('DEL', KEYS[2]) end
            return settled
            """)

    /// Makes room in the outbox: takes spans off it that nobody was given yet, and forgets them.
    ///
    /// KEYS[1] -> ids that wait, KEYS[2] -> bytes of the spans that wait, KEYS[3…] -> the spans
    /// ARGV[1…] -> for each span: its entry, its bytes
    /// Output: bytes that were freed
    package static let shed = RedisScript(
        name: "shed",
        source: """
            local bytes = 0
            for index = 3, #KEYS do
                if redis.call('XDEL', KEYS[1], ARGV[2 * index - 5]) == 1 then
                    redis.call('DEL', KEYS[index])
                    bytes = bytes + ARGV[2 * index - 4]
                end
            end
            if bytes > 0 and redis.call('DECRBY', KEYS[2], bytes) <= 0 then redis.call('DEL', KEYS[2]) end
            return bytes
            """)

    /// Forgets spans that have left the outbox.
    ///
    /// KEYS[1…] -> spans; ARGV[1] -> how long a span is kept that has left the outbox, in milliseconds: those that wait have longer to live
    /// Output: how many
    package static let forgetSettled = RedisScript(
        name: "forgetSettled",
        source: """
            local forgotten = 0
            for _, key in ipairs(KEYS) do
                local left = redis.call('PTTL', key)
                if left >= 0 and left <= tonumber(ARGV[1]) then forgotten = forgotten + redis.call('DEL', key) end
            end
            return forgotten
            """)

    /// Forgets exporters that are gone and left nothing.
    ///
    /// KEYS[1] -> ids that wait; ARGV[1] -> group, ARGV[2] -> milliseconds of silence after which one is gone
    /// Output: how many
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
