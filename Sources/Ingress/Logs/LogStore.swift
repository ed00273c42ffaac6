internal import Common
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

    /// Keeps an entry with all rollouts that it names, each in one atomic step.
    func add(_ entry: LogEntry, project: String) async throws {
        for rollout in entry.rollouts {
            let logs = Keys.logs(rollout, project: project)
            let sealed = try envelope.seal(entry.bytes, for: .value(of: logs))
            _ = try await redis.evaluate(
                Self.append, keys: [logs, Keys.status(rollout, project: project)],
                arguments: sealed, entry.tellsStatus ? 1 : 0, Self.entryLimit, Self.byteLimit,
                Int(Self.life.components.seconds))
        }
    }

    /// A rollout's entries since a time, newest first, each with the time at which it came; both in milliseconds since
    /// 1970.
    func entries(
        of rollout: String, project: String, since time: UInt64
    ) async throws(RedisError) -> [(time: UInt64, bytes: [UInt8])] {
        let logs = Keys.logs(rollout, project: project)
        let reply = try await redis.send(RedisCommand("XREVRANGE", logs, "+", String(time), "COUNT", Self.entryLimit))
        return (reply.array ?? []).compactMap { entry in
            guard let id = entry[0].string, let time = UInt64(id.prefix { $0 != "-" }),
                let bytes = open(entry[1][1], of: logs)
            else { return nil }
            return (time, bytes)
        }
    }

    /// The newest entry of a rollout that tells its status, of those that can be read here: a newer version of the
    /// gateway may have written later ones.
    func status(of rollout: String, project: String) async throws(RedisError) -> [UInt8]? {
        let reply = try await redis.send(RedisCommand("HGET", Keys.status(rollout, project: project), "entry"))
        if reply.isNull { return nil }
        if let newest = open(reply, of: Keys.logs(rollout, project: project)) { return newest }
        let entries = try await entries(of: rollout, project: project, since: 0)
        return entries.first { (try? LogEntry($0.bytes, maximumDepth: .max))?.tellsStatus ?? false }?.bytes
    }

    /// Nil for what is not of the gateway's making.
    private func open(_ sealed: RedisValue, of logs: String) -> [UInt8]? {
        sealed.bytes.flatMap { try? envelope.open($0, for: .value(of: logs)) }
    }

    /// Appends an entry.
    ///
    /// KEYS[1] -> the rollout's stream, KEYS[2] -> hash of its status and of the stream's bytes
    /// ARGV[1] -> sealed entry, ARGV[2] -> 1 if it tells the status, ARGV[3] -> most entries, ARGV[4] -> most bytes, ARGV[5] -> life of both in seconds
    /// Output: entries on the stream afterwards
    private static let append = RedisScript(
        name: "appendLog",
        source: """
            redis.call('XADD', KEYS[1], '*', 'p', ARGV[1])
            local bytes = redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[1])
            local entries = redis.call('XLEN', KEYS[1])
            while entries > 1 and (entries > tonumber(ARGV[3]) or bytes > tonumber(ARGV[4])) do
                local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
                redis.call('XDEL', KEYS[1], oldest[1])
                bytes = redis.call('HINCRBY', KEYS[2], 'bytes', -#oldest[2][2])
                entries = entries - 1
            end
            if ARGV[2] == '1' then redis.call('HSET', KEYS[2], 'entry', ARGV[1]) end
            redis.call('EXPIRE', KEYS[1], ARGV[5])
            redis.call('EXPIRE', KEYS[2], ARGV[5])
            return entries
            """)
}
