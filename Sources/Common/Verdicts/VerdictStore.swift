package import Redis

/// The verdicts in Redis.
package struct VerdictStore: Sendable {
    /// More marks than this are left by verifiers that died.
    static let mostFields = 200

    /// Leave to write a verdict, as long as the set stays what it was when the mark was left. Everyone who looks at a
    /// rollout has a new one: what an old one may write late must not pass for news.
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
    private let defaultProject: String

    package init(redis: RedisClient, defaultProject: String) {
        self.redis = redis
        self.defaultProject = defaultProject
    }

    /// The verdict on a rollout, if one holds; one round trip. A `complete` for more ids than are left does not hold:
    /// removing an id also removes the verdict, so Redis has lost some ids.
    package func verdict(
        on rollout: Rollout, now: Timestamp = .now
    ) async throws(RedisError) -> Verdict? {
        var command = RedisCommand("HMGET", Keys.verdict(of: rollout))
        command.append(contentsOf: Verdict.fieldNames)
        let replies = try await redis.send(batch: [
            command, RedisCommand("SCARD", Keys.set(of: rollout, defaultProject: defaultProject)),
        ])
        let verdict = Verdict(fields: try replies[0].get(), rollout: rollout, now: now)
        guard let verdict, verdict.kind == .complete else { return verdict }
        let size = (try? replies[1].get())?.int ?? 0
        return size < verdict.expected ? nil : verdict
    }

    /// Leaves the mark, to be called before the set is read. Called again, it renews it.
    /// - Returns: Nil if there is no such rollout.
    package func begin(_ rollout: Rollout, mark: Mark = Mark()) async throws(RedisError) -> Beginning? {
        let set = Keys.set(of: rollout, defaultProject: defaultProject)
        let keys = [
            Keys.verdict(of: rollout), set, Keys.record(of: rollout),
            Keys.count(of: rollout), Keys.verified(of: rollout),
        ]
        let reply = try await redis.evaluate(VerdictScripts.begin, keys: keys, arguments: mark.field, Self.mostFields)
        guard let expected = reply[0].int, expected >= 0 else { return nil }
        return Beginning(
            mark: mark, expected: expected, failed: reply[1].int ?? 0, recorded: reply[2].int ?? 0,
            seen: reply[3].int ?? 0)
    }

    /// Takes a mark away, for which no verdict will be written.
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
