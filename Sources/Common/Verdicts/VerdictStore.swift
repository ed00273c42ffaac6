package import Redis

/// The verdicts in Redis.
package struct VerdictStore: Sendable {
    /// The most fields of a verdict's hash, its marks among them. Only verifiers that died can leave so many.
    static let mostFields = 200

    /// A verifier's mark in the verdict's hash. It allows one write of a verdict, as long as the set has not changed
    /// since the mark was made. Each verifier has a mark of its own: another's newer mark lets no late write through.
    package struct Mark: Sendable, Equatable {
        let field = "checking:" + ProcessName.random()
        package init() {}
    }

    /// The state from which a verifier starts.
    package struct Beginning: Sendable, Equatable {
        package let mark: Mark
        /// The size of the rollout's set.
        package let expected: Int
        package let failed: Int
        /// The number of ids that the set should have, as counted when they came and went. Less than `expected` where
        /// an ingress of version 0.1.0 added some, which counts nothing.
        package let recorded: Int
        /// The number of ids that were seen in the trace store.
        package let seen: Int
    }

    private let redis: RedisClient
    private let keySpace: KeySpace

    package init(redis: RedisClient, keySpace: KeySpace) {
        self.redis = redis
        self.keySpace = keySpace
    }

    /// The verdict on a rollout, if one holds; one round trip. A `complete` for more ids than are left does not hold:
    /// removing an id also removes the verdict, so Redis has lost some ids.
    package func verdict(
        on rollout: Rollout, now: Timestamp = .now
    ) async throws(RedisError) -> Verdict? {
        var command = RedisCommand("HMGET", Keys.verdict(of: rollout))
        command.append(contentsOf: Verdict.fieldNames)
        let replies = try await redis.send(batch: [
            command, RedisCommand("SCARD", keySpace.set(of: rollout)),
        ])
        let verdict = Verdict(fields: try replies[0].get(), rollout: rollout, now: now)
        guard let verdict, verdict.kind == .complete else { return verdict }
        let size = (try? replies[1].get())?.int ?? 0
        return size < verdict.expected ? nil : verdict
    }

    /// Makes the mark, or renews it. To be called before the set is read.
    /// - Returns: Nil if there is no such rollout.
    package func begin(_ rollout: Rollout, mark: Mark = Mark()) async throws(RedisError) -> Beginning? {
        let set = keySpace.set(of: rollout)
        let keys = [
            Keys.verdict(of: rollout), set, Keys.rolloutRecord(of: rollout),
            Keys.count(of: rollout), Keys.verified(of: rollout),
        ]
        let reply = try await redis.evaluate(VerdictScripts.begin, keys: keys, arguments: mark.field, Self.mostFields)
        guard let expected = reply[0].int, expected >= 0 else { return nil }
        return Beginning(
            mark: mark, expected: expected, failed: reply[1].int ?? 0, recorded: reply[2].int ?? 0,
            seen: reply[3].int ?? 0)
    }

    /// Deletes a mark under which no verdict will be written.
    package func forget(_ mark: Mark, of rollout: Rollout) async throws(RedisError) {
        _ = try await redis.send(RedisCommand("HDEL", Keys.verdict(of: rollout), mark.field))
    }

    /// - Returns: false if the set has changed since the mark was left; nothing is written then.
    package func write(_ verdict: Verdict, mark: Mark) async throws(RedisError) -> Bool {
        let key = Keys.verdict(of: verdict.rollout)
        let reply = try await redis.evaluate(VerdictScripts.write, keys: [key]) { command in
            command.append(mark.field)
            command.append(contentsOf: verdict.fields)
        }
        return reply.int == 1
    }
}

/// The steps around a verdict that must not be torn apart.
///
/// A verdict is true for one state of the rollout's set: each change of the set deletes the verdict's hash in the same
/// step. A verifier marks the hash before it reads the set, and writes only if the mark, and so the set, is unchanged.
enum VerdictScripts {
    /// Leaves a mark in front of the reading of a set.
    ///
    /// KEYS:
    /// - KEYS[1]: the verdict
    /// - KEYS[2]: the rollout's set
    /// - KEYS[3]: the rollout's record
    /// - KEYS[4]: number of ids that the set should have
    /// - KEYS[5]: ids that were seen in the trace store
    ///
    /// ARGV:
    /// - ARGV[1]: the mark
    /// - ARGV[2]: most fields of the hash: if there are as many, the whole hash is deleted, with all marks and the
    ///   verdict
    ///
    /// Output: one of
    /// - {size of the set, completions that failed, ids that it should have (fewer if some were not counted), ids that
    ///   were seen}
    /// - {-1, 0}: there is no such rollout
    /// - {-2, 0}: its name is something else's
    static let begin = RedisScript(
        name: "beginVerdict",
        source: """
            local kind = redis.call('TYPE', KEYS[2]).ok
            if kind ~= 'set' and kind ~= 'none' then return {-2, 0} end
            if kind == 'none' and redis.call('EXISTS', KEYS[3]) == 0 then return {-1, 0} end
            local failed = tonumber(redis.pcall('HGET', KEYS[3], 'failed') or 0) or 0
            if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
            redis.call('HSET', KEYS[1], ARGV[1], 1)
            local life = redis.call('PTTL', kind == 'set' and KEYS[2] or KEYS[3])
            if life > 0 then redis.call('PEXPIRE', KEYS[1], life) else redis.call('PERSIST', KEYS[1]) end
            local count = tonumber(redis.pcall('GET', KEYS[4])) or 0
            local seen = redis.pcall('SCARD', KEYS[5])
            local ids = math.max(count, tonumber(redis.pcall('HGET', KEYS[3], 'ids')) or 0)
            return {redis.call('SCARD', KEYS[2]), failed, ids, type(seen) == 'number' and seen or 0}
            """)

    /// Writes a verdict if the set has not changed since the mark was left. A verifier that saw every trace knows more
    /// than one that saw fewer, however late it comes.
    ///
    /// - KEYS[1]: the verdict
    /// - ARGV[1]: the mark
    /// - ARGV[2…]: fields and values
    ///
    /// Output: 1, or 0 if the set has changed.
    static let write = RedisScript(
        name: "writeVerdict",
        source: """
            if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
            if redis.call('HGET', KEYS[1], 'verdict') ~= 'complete' then redis.call('HSET', KEYS[1], unpack(ARGV, 2)) end
            -- The mark last: a hash without fields is deleted, and its life with it.
            redis.call('HDEL', KEYS[1], ARGV[1])
            return 1
            """)
}
