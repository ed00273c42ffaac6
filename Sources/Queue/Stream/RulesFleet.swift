internal import Common
package import Redis

/// The rules that are in force in each ingress process.
package struct RulesFleet: Sendable {
    /// The interval at which a process reports its rules.
    package static let beat = Duration.seconds(5)
    /// The time for which such a report is good.
    private static let life = Duration.seconds(15)

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Notes the rules of a process.
    /// - Parameters:
    ///   - hash: of their files; empty without files.
    ///   - process: its name, which no other one has.
    package func announce(_ hash: String, of process: String) async throws(RedisError) {
        _ = try await redis.evaluate(
            Self.note, keys: [Keys.ingressRules, Keys.ingresses], arguments: process, hash, Int(Self.life.milliseconds))
    }

    /// Forgets a process, which ends.
    package func leave(_ process: String) async throws(RedisError) {
        _ = try await redis.evaluate(Self.forget, keys: [Keys.ingressRules, Keys.ingresses], arguments: process)
    }

    /// The processes that have said something lately, with the hashes of their rules, by their names.
    package func processes() async throws(RedisError) -> [(name: String, hash: String)] {
        let reply = try await redis.evaluate(
            Self.list, keys: [Keys.ingressRules, Keys.ingresses], arguments: Int(Self.life.milliseconds))
        let texts = (reply.array ?? []).map { $0.string ?? "" }
        var processes: [(name: String, hash: String)] = []
        for place in stride(from: 0, to: texts.count - 1, by: 2) { processes.append((texts[place], texts[place + 1])) }
        return processes.sorted { $0.name < $1.name }
    }

    /// Notes the rules of a process, and forgets those whose word is no longer good.
    ///
    /// - KEYS[1]: rules of each process (a hash)
    /// - KEYS[2]: processes by the time of their last word (a sorted set)
    /// - ARGV[1]: the process
    /// - ARGV[2]: hash of its rules
    /// - ARGV[3]: milliseconds for which its word is good
    private static let note = RedisScript(
        name: "noteRules",
        source: clock + """
            for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[3])) do
                redis.call('ZREM', KEYS[2], gone)
                redis.call('HDEL', KEYS[1], gone)
            end
            redis.call('ZADD', KEYS[2], now, ARGV[1])
            redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
            for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
            return 1
            """)

    /// Forgets a process.
    ///
    /// - KEYS: as `note` has them
    /// - ARGV[1]: the process
    private static let forget = RedisScript(
        name: "forgetRules",
        source: """
            redis.call('HDEL', KEYS[1], ARGV[1])
            return redis.call('ZREM', KEYS[2], ARGV[1])
            """)

    /// Lists the processes whose word is good.
    ///
    /// - KEYS: as `note` has them
    /// - ARGV[1]: milliseconds for which a word is good
    ///
    /// Output: process, hash, process, hash…
    private static let list = RedisScript(
        name: "listRules",
        source: "#!lua flags=no-writes\n" + clock + """
            local found = {}
            for _, process in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], now - ARGV[1], '+inf')) do
                found[#found + 1] = process
                found[#found + 1] = redis.call('HGET', KEYS[1], process) or ''
            end
            return found
            """)

    private static var clock: String { JobScripts.clock }
}
