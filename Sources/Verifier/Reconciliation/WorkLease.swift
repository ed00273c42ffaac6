internal import Common
internal import Redis

/// The right of one verifier to work on a rollout's verdict, and its progress: the others listen, and ask no store.
///
/// A lease that is not renewed ends by itself, so a verifier that dies holds the others up for `life` at most. Nothing
/// becomes wrong if two work at once.
struct WorkLease: Sendable {
    private static let life = Duration.seconds(5)
    private static let renewal = Duration.seconds(1)
    /// The interval at which the others look for progress.
    static let pollInterval = Duration.milliseconds(500)

    /// The state of the work as others see it.
    struct State: Sendable, Equatable {
        var verdict: Verdict
        /// Whether it is the outcome of a whole round, and not of a part of one.
        var endsRound: Bool
    }

    private let redis: RedisClient
    private let rollout: Rollout
    private let owner = ProcessName.random()

    init(on rollout: Rollout, redis: RedisClient) { (self.rollout, self.redis) = (rollout, redis) }

    private var key: String { Keys.verifying(of: rollout) }

    /// - Parameter asking: whether the holder, if there is one, is told that there is a further question.
    /// - Returns: whether the work is this one's to do.
    func take(asking: Bool = false) async throws(RedisError) -> Bool {
        try await redis.evaluate(
            WorkLeaseScripts.take, keys: [key], arguments: owner, Int(Self.life / .milliseconds(1)), asking ? 1 : 0
        ).int == 1
    }

    /// The latest progress of the lease's holder; nil if it has not reported any yet, or there is no holder.
    func state() async throws(RedisError) -> State? {
        var command = RedisCommand("HMGET", key)
        command.append(contentsOf: Verdict.fieldNames + [WorkLeaseScripts.round])
        let reply = try await redis.send(command)
        // It counts however old it is: the holder is still at work, and has reported nothing since.
        guard let verdict = Verdict(fields: reply, rollout: rollout, now: nil) else { return nil }
        return State(verdict: verdict, endsRound: reply[Verdict.fieldNames.count].string == "1")
    }

    /// Does the work, and gives the lease up however it ends.
    /// - Parameters:
    ///   - onAsked: called after another verifier has asked (``take(asking:)``).
    ///   - work: gets what tells the others how things stand.
    func hold<Result: Sendable>(
        onAsked: @escaping @Sendable () -> Void = {},
        _ work: (_ tell: @Sendable (State) async -> Void) async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: Self.renewal)
                    await renew(onAsked: onAsked)
                }
            }
            defer { group.cancelAll() }
            do {
                let result = try await work { await renew($0, onAsked: onAsked) }
                await leave()
                return result
            } catch {
                // Also if the work is no longer wanted: a cancelled task's commands are executed all the same.
                await leave()
                throw error
            }
        }
    }

    /// A lease that cannot be renewed is one that ends: another one may begin then.
    private func renew(_ state: State? = nil, onAsked: () -> Void) async {
        let reply = try? await redis.evaluate(WorkLeaseScripts.renew, keys: [key]) { command in
            command.append(contentsOf: [owner, String(Int(Self.life / .milliseconds(1)))])
            guard let state else { return }
            command.append(contentsOf: state.verdict.fields + [WorkLeaseScripts.round, state.endsRound ? "1" : "0"])
        }
        if reply?.int == 2 { onAsked() }
    }

    private func leave() async { _ = try? await redis.evaluate(WorkLeaseScripts.leave, keys: [key], arguments: owner) }
}

/// The steps on a lease's hash: its owner, and the fields of a verdict.
enum WorkLeaseScripts {
    /// The field that says whether the verdict is a whole round's.
    static let round = "round"

    /// KEYS[1] -> lease; ARGV[1] -> owner, ARGV[2] -> milliseconds, ARGV[3] -> 1 to tell a holder of a further question
    /// Output: 1, or 0 if another verifier has it
    static let take = RedisScript(
        name: "takeWork",
        source: """
            if redis.call('EXISTS', KEYS[1]) == 1 then
                if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'asked', '1') end
                return 0
            end
            redis.call('HSET', KEYS[1], 'owner', ARGV[1])
            return redis.call('PEXPIRE', KEYS[1], ARGV[2])
            """)

    /// KEYS[1] -> lease; ARGV[1] -> owner, ARGV[2] -> milliseconds, ARGV[3…] -> fields and values, if there is news
    /// Output: 1; 2 if there was a further question since; 0 if it is not the owner's any longer
    static let renew = RedisScript(
        name: "renewWork",
        source: """
            if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
            if #ARGV > 2 then redis.call('HSET', KEYS[1], unpack(ARGV, 3)) end
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
            return 1 + redis.call('HDEL', KEYS[1], 'asked')
            """)

    /// KEYS[1] -> lease; ARGV[1] -> owner
    /// Output: 1, or 0 if it is not the owner's any longer
    static let leave = RedisScript(
        name: "leaveWork",
        source: """
            if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
            return redis.call('DEL', KEYS[1])
            """)
}
