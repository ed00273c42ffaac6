internal import Common
internal import Crypto
internal import NIOConcurrencyHelpers
package import Redis

/// The calls that a Langfuse organisation's rate limit leaves, shared by all verifiers through Redis.
///
/// Langfuse Cloud counts calls by organisation in windows of a minute, and its answers tell what is left. Each caller
/// takes a call out of that; all wait when none is left, or a 429 said to pause. None waits while nothing is known.
package struct RateBudget: Sendable {
    /// The number of calls that are left alone: Langfuse refuses the last one of a window already, and answers of
    /// several verifiers cross.
    static let reserve = 1
    /// The longest pause that a process takes over from what others learned before it began: a window of Langfuse's.
    /// So a verifier that is started anew soon asks a store that works again.
    static let ahead = Duration.seconds(60)

    private let redis: RedisClient
    private let clock: VerifierClock
    /// The longest that a caller waits here for its turn.
    private let longestWait: Duration
    /// The limits that this process has looked at.
    private let known = NIOLockedValueBox<Set<UTF8Text>>([])

    package init(redis: RedisClient, clock: VerifierClock = .system, longestWait: Duration = .seconds(2)) {
        self.redis = redis
        self.clock = clock
        self.longestWait = longestWait
    }

    /// Waits until a call may be made.
    /// - Parameter until: when the call is no longer wanted.
    /// - Throws: `rateLimited` with the time to wait, if that is longer than this waits; `unavailable` if Redis cannot
    ///   be asked.
    func take(
        _ store: TraceDestination, _ bucket: String, before until: ContinuousClock.Instant? = nil
    ) async throws(TraceSourceError) {
        let key = Self.key(store, bucket)
        var left = longestWait
        if let until { left = min(left, ContinuousClock.now.duration(to: until)) }
        while true {
            let pause = Duration.milliseconds(
                try await evaluate(RateScripts.take, key: key, [String(Self.reserve), believed(key)]))
            guard pause > .zero else { return }
            guard pause <= left else { throw .rateLimited(retryAfter: pause) }
            left -= pause
            do { try await clock.sleep(pause) } catch { throw .cancelled }
        }
    }

    /// The longest time ahead for which the state of a limit is believed, in milliseconds.
    private func believed(_ key: String) -> String {
        let isNew = known.withLockedValue { $0.insert(UTF8Text(key)).inserted }
        return String((isNew ? Self.ahead : LangfuseResponse.longestPause + .seconds(1)).milliseconds)
    }

    /// Takes note of what an answer says.
    func learn(
        from answer: LangfuseResponse, _ store: TraceDestination, _ bucket: String
    ) async throws(TraceSourceError) {
        let report = RateLimitReport(answer.headers, now: clock.now())
        let pause = answer.status == 429 ? answer.retryAfter ?? LangfuseResponse.defaultPause : nil
        guard report != nil || pause != nil else { return }
        let milliseconds = [report?.reset, pause].map { $0.map { String(Int($0 / .milliseconds(1))) } ?? "" }
        _ = try await evaluate(
            RateScripts.learn, key: Self.key(store, bucket), [report.map { String($0.remaining) } ?? ""] + milliseconds)
    }

    private func evaluate(
        _ script: RedisScript, key: String, _ arguments: [String]
    ) async throws(TraceSourceError) -> Int {
        do throws(RedisError) {
            return try await redis.evaluate(script, keys: [key]) { $0.append(contentsOf: arguments) }.int ?? 0
        } catch {
            throw .unavailable(error.description)
        }
    }

    /// The name of a limit in Redis. It shows neither the host nor the public key.
    static func key(_ store: TraceDestination, _ bucket: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let name = Array("\(store.host.origin) \(store.keys.publicKey.reveal())".utf8)
        let account = SHA256.hash(data: name).prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return Keys.langfuseLimit(account: String(decoding: account, as: UTF8.self), bucket: bucket)
    }
}

/// The steps on a rate limit's hash. Fields: `left` calls until `reset`, and `pause`: no call before; times in
/// milliseconds since 1970 by the server's clock.
enum RateScripts {
    /// Takes a call out of the budget. A state that lies further ahead than is believed is forgotten. It was told
    /// before the server's clock was put back, or to a process that is gone.
    ///
    /// KEYS[1] -> limit; ARGV[1] -> calls to leave alone, ARGV[2] -> milliseconds ahead that are believed
    /// Output: milliseconds to wait; 0 if a call was taken
    static let take = RedisScript(
        name: "takeCall",
        source: """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local known = redis.call('HMGET', KEYS[1], 'left', 'reset', 'pause')
            local left, reset, pause = tonumber(known[1] or ''), tonumber(known[2] or ''), tonumber(known[3] or '')
            local ahead = now + tonumber(ARGV[2])
            if pause and pause > ahead then
                redis.call('HDEL', KEYS[1], 'pause')
                pause = nil
            end
            if reset and reset > ahead then
                redis.call('HDEL', KEYS[1], 'left', 'reset')
                reset = nil
            end
            if pause and pause > now then return pause - now end
            if not left or not reset or reset <= now then return 0 end
            if left <= tonumber(ARGV[1]) then return reset - now end
            redis.call('HINCRBY', KEYS[1], 'left', -1)
            return 0
            """)

    /// Takes over what an answer tells. Answers arrive in another order than they were made. So within a window the
    /// calls that are left only become fewer, and a pause only becomes longer.
    ///
    /// KEYS[1] -> limit; ARGV[1] -> calls left (empty: not told), ARGV[2] -> milliseconds until the window begins anew
    /// (likewise), ARGV[3] -> milliseconds to pause (empty: none) Output: 1
    static let learn = RedisScript(
        name: "learnLimit",
        source: """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local known = redis.call('HMGET', KEYS[1], 'left', 'reset', 'pause')
            local left, reset, pause = tonumber(known[1] or ''), tonumber(known[2] or '') or 0, tonumber(known[3] or '') or 0
            if ARGV[1] ~= '' then
                local told, over = tonumber(ARGV[1]), now + tonumber(ARGV[2])
                -- The same window, told to the second.
                if left and math.abs(over - reset) < 2000 then told = math.min(told, left) end
                left, reset = told, over
                redis.call('HSET', KEYS[1], 'left', left, 'reset', reset)
            end
            if ARGV[3] ~= '' then
                pause = math.max(pause, now + tonumber(ARGV[3]))
                redis.call('HSET', KEYS[1], 'pause', pause)
            end
            redis.call('PEXPIRE', KEYS[1], math.max(reset, pause) - now + 1000)
            return 1
            """)
}
