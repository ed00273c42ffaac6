internal import Common
internal import Queue
internal import Redis

/// The rollouts' logs in Redis: for each a stream of sealed entries, and the newest of them that tells its status. Both
/// live a day after the last entry, and are bounded in entries and bytes: the oldest go first.
struct LogStore: Sendable {
    /// The most entries that are kept of one rollout.
    static let entryLimit = 1000
    /// The most bytes of entries that are kept of one rollout. A single entry of any size is kept.
    static let byteLimit = 1 << 20
    static let life = Duration.seconds(86_400)

    let redis: RedisClient
    let envelope: Envelope
    /// The most bytes that are kept for later, with answers (`KEPT_BYTES`).
    let keptLimit: Int

    /// Keeps an entry with all rollouts that it names, in one atomic step.
    /// - Returns: false if there is no room for it; nothing of it is kept then.
    func add(_ entry: LogEntry, project: String) async throws -> Bool {
        let sealed = try entry.rollouts.map { name in
            let rollout = Rollout(name, project: project)
            let logs = Keys.logs(of: rollout)
            return (logs, Keys.status(of: rollout), try envelope.seal(entry.bytes, for: .value(of: logs)))
        }
        let keys = [Keys.kept] + sealed.flatMap { [$0.0, $0.1] }
        return try await redis.evaluate(Self.append, keys: keys) { command in
            let life = Int(Self.life.components.seconds)
            for number in [entry.tellsStatus ? 1 : 0, Self.entryLimit, Self.byteLimit, life, keptLimit] {
                command.append(number)
            }
            for (_, _, bytes) in sealed { command.append(bytes) }
        }.int == 1
    }

    /// A rollout's entries since a time, newest first, each with the time at which it came.
    func entries(
        of rollout: Rollout, since time: Timestamp
    ) async throws(RedisError) -> [(time: Timestamp, bytes: [UInt8])] {
        let logs = Keys.logs(of: rollout)
        let first = String(time.milliseconds)
        let reply = try await redis.send(RedisCommand("XREVRANGE", logs, "+", first, "COUNT", Self.entryLimit))
        return (reply.array ?? []).compactMap { entry in
            guard let id = entry[0].string, let time = UInt64(id.prefix { $0 != "-" }),
                let bytes = open(entry[1][1], of: logs)
            else { return nil }
            return (Timestamp(milliseconds: time), bytes)
        }
    }

    /// The newest entry of a rollout that tells its status, of those that can be read here: a newer version of the
    /// gateway may have written later ones.
    func status(of rollout: Rollout) async throws(RedisError) -> [UInt8]? {
        let reply = try await redis.send(RedisCommand("HGET", Keys.status(of: rollout), "entry"))
        if reply.isNull { return nil }
        if let newest = open(reply, of: Keys.logs(of: rollout)) { return newest }
        let entries = try await entries(of: rollout, since: .epoch)
        return entries.first { (try? LogEntry($0.bytes, maximumDepth: .max))?.tellsStatus ?? false }?.bytes
    }

    /// Nil for what is not of the gateway's making.
    private func open(_ sealed: RedisValue, of logs: String) -> [UInt8]? {
        sealed.bytes.flatMap { try? envelope.open($0, for: .value(of: logs)) }
    }

    /// Appends an entry to the logs of its rollouts, if there is room for all of them.
    ///
    /// KEYS[1] -> what is kept for later (``KeptBytes``); then for each rollout two: its stream, hash of its status, of
    /// the stream's bytes and of what is counted for both
    /// ARGV[1] -> 1 if it tells the status, ARGV[2] -> most entries, ARGV[3] -> most bytes, ARGV[4] -> life of both in
    /// seconds, ARGV[5] -> most bytes that are kept for later; then for each rollout the sealed entry
    /// Output: 1, or 0 if there is no room
    private static let append = RedisScript(
        name: "appendLog",
        source: JobScripts.clock + KeptBytes.functions + """
            local tells, most_entries, most_bytes = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3])
            local life, rollouts = ARGV[4], #ARGV - 5
            kept_key = KEYS[1]

            local needed = 0
            for place = 1, rollouts do
                local entry = ARGV[5 + place]
                needed = needed + entry_bytes(#entry, redis.call('EXISTS', KEYS[2 * place]) == 0)
                if tells then needed = needed + #entry end
            end
            if kept_bytes() + needed > tonumber(ARGV[5]) then return 0 end

            local function append(logs, status, entry)
                local ended, counted = redis.call('PEXPIRETIME', status), redis.call('HGET', status, 'kept')
                if counted then keep(-counted, ended) end
                redis.call('XADD', logs, '*', 'p', entry)
                local bytes = redis.call('HINCRBY', status, 'bytes', #entry)
                local entries = redis.call('XLEN', logs)
                while entries > 1 and (entries > most_entries or bytes > most_bytes) do
                    local oldest = redis.call('XRANGE', logs, '-', '+', 'COUNT', 1)[1]
                    redis.call('XDEL', logs, oldest[1])
                    bytes = redis.call('HINCRBY', status, 'bytes', -#oldest[2][2])
                    entries = entries - 1
                end
                if tells then redis.call('HSET', status, 'entry', entry) end
                local kept = stream_bytes(bytes, entries) + redis.call('HSTRLEN', status, 'entry') + 2 * kept_record
                redis.call('HSET', status, 'kept', kept)
                redis.call('EXPIRE', logs, life)
                redis.call('EXPIRE', status, life)
                keep(kept, now + life * 1000)
            end
            for place = 1, rollouts do append(KEYS[2 * place], KEYS[2 * place + 1], ARGV[5 + place]) end
            write_kept()
            return 1
            """)
}
