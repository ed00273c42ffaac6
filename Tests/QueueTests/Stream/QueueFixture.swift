import TestSupport

@testable import Common
@testable import Queue
@testable import Redis

/// The queue on a private Redis, with its producer, its forwarders and a look at what is kept.
struct QueueFixture: Sendable {
    let redis: RedisClient
    let envelope = Envelope(key: .random())
    let ids = InsertionIDGenerator()

    static func run(_ body: (QueueFixture) async throws -> Void) async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { try await body(QueueFixture(redis: $0)) }
        }
    }

    func admission(
        entries: Int = 1000, bytes: Int = 1 << 30, ttl: Duration = .seconds(100), spanBytes: Int = 1 << 20,
        keptBytes: Int = 1 << 30
    ) -> JobAdmission {
        JobAdmission(
            redis: redis, envelope: envelope,
            limits: .init(
                entries: entries, bytes: bytes, rolloutTTL: ttl, spanBytes: spanBytes, keptBytes: keptBytes),
            keySpace: .local)
    }

    func job(rollout: String? = "rollout", project: String = "local", body: [UInt8] = []) -> Job {
        let rollout = rollout.map { RolloutIDs(rollout: $0, invocation: "i", experiment: "e", run: "r", row: "w") }
        return Job(
            insertionID: ids.next(), project: project, rollout: rollout, method: "POST", path: "/chat/completions",
            deadline: .distantFuture,
            responseKey: Keys.responses(ingress: "here"), body: body)
    }

    /// A forwarder that has joined the group and lives.
    func forwarder(
        _ name: String, deadLetterLimit: Int = 100, keptLimit: Int = .max
    ) async throws -> JobStream {
        let stream = JobStream(
            consumer: name, commands: redis, reader: redis, deadLetterLimit: deadLetterLimit, keptLimit: keptLimit)
        _ = try await stream.beat()
        try await stream.join()
        return stream
    }

    /// What a forwarder takes in one read.
    func take(_ stream: JobStream, upTo limit: Int = 100) async throws -> [Delivery] {
        try await stream.read(upTo: limit, wait: .milliseconds(1))
    }

    @discardableResult
    func send<each Argument: RedisArgument>(
        _ name: String, _ arguments: repeat each Argument
    ) async throws -> RedisValue {
        try await redis.send(RedisCommand(name, repeat each arguments))
    }

    func members(_ set: String) async throws -> Set<String> {
        Set((try await send("SMEMBERS", set).array ?? []).compactMap(\.string))
    }

    func byteCount() async throws -> Int? { try await send("GET", Keys.jobBytes).int }

    /// Everything that Redis keeps, each key with its serialised value: two equal dumps are one state.
    func dump() async throws -> [String: RedisValue] {
        var dump: [String: RedisValue] = [:]
        for key in try await send("KEYS", "*").array ?? [] {
            let name = key.string ?? ""
            dump[name] = try await send("DUMP", name)
        }
        return dump
    }

    /// The bodies of the frames on a response stream.
    func frames(on key: String) async throws -> [[UInt8]] {
        (try await send("XRANGE", key, "-", "+").array ?? []).compactMap { $0[1][3].bytes }
    }

    /// Makes the shared response stream exist, as its ingress does, with a life that a busy machine does not outlast.
    func attach(_ key: String = Keys.responses(ingress: "here")) async throws {
        _ = try await redis.evaluate(JobScripts.attach, keys: [key], arguments: 600)
    }
}

extension RolloutKeys {
    /// Those of `QueueFixture.job`'s rollout.
    static let sample = KeySpace.local.keys(of: Rollout("rollout", project: "local"))
}

extension JobAdmission {
    /// Queues a job, and waits for what the script says.
    /// - Parameter consumer: takes the oldest job of the queue in the same step; nil: none is taken.
    func enqueue(_ job: Job, givingTo consumer: String?) async throws -> Reply {
        try await withCheckedThrowingContinuation { continuation in
            do throws(EnvelopeError) {
                try enqueue(job, givingTo: consumer) { continuation.resume(with: $0) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
