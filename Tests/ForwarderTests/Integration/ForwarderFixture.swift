import Common
import Logging
import NIOConcurrencyHelpers
import Queue
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import Forwarder

/// A private Redis with its ingress played by the test, and a provider that the test plays too. Only the forwarders are
/// real.
struct ForwarderFixture: Sendable {
    static let rollout = "rollout"
    private static let responses = Keys.responses(ingress: "here")

    let server: RedisServer
    let redis: RedisClient
    let answers: AnswerReader
    let upstream = ScriptedUpstream()
    let envelope: Envelope
    private let ids = InsertionIDGenerator()

    static func run(isDurable: Bool = false, _ body: (ForwarderFixture) async throws -> Void) async throws {
        var options = RedisServer.Options()
        options.isDurable = isDurable
        try await withRedisServer(options) { server in
            try await withRedisClient(server.endpoint) { redis in
                try await withRedisClient(server.endpoint) { reader in
                    let envelope = Envelope(key: .random())
                    _ = try await redis.evaluate(JobScripts.attach, keys: [responses], arguments: 600)
                    let answers = AnswerReader(redis: reader, key: responses, envelope: envelope)
                    try await body(ForwarderFixture(server: server, redis: redis, answers: answers, envelope: envelope))
                }
            }
        }
    }

    private init(server: RedisServer, redis: RedisClient, answers: AnswerReader, envelope: Envelope) {
        (self.server, self.redis, self.answers, self.envelope) = (server, redis, answers, envelope)
    }

    /// Queues a job.
    /// - Parameters:
    ///   - local: the forwarder that is in one process with the client.
    ///   - client: takes the answer there.
    func enqueue(
        isStream: Bool = false, window: Int = 1 << 20, deadline: Deadline = Deadline(in: .seconds(300)),
        idempotencyKey: String? = nil, model: String = "openai/gpt", body: String = #"{"model":"openai/gpt"}"#,
        charges: [RateCharge] = [], route: Route = Route(), options: CallOptions = CallOptions(),
        query: String? = nil, headers: [HeaderField] = [], logging: ContentLogging = .whole,
        on local: LocalWorker? = nil,
        for client: (any LocalClient)? = nil
    ) async throws -> Job {
        let id = ids.next()
        var job = Job(
            insertionID: id, project: "local",
            rollout: RolloutIDs(rollout: Self.rollout, invocation: "i", experiment: "e", run: "r", row: "w"),
            method: "POST",
            path: "/chat/completions", clientKey: SecretString("sk-client"), model: model, isStream: isStream,
            deadline: deadline,
            responseKey: idempotencyKey == nil ? Self.responses : Keys.response(id), window: window,
            idempotency: idempotencyKey.map {
                Idempotency(clientKey: $0, project: "local", account: nil, request: [], envelope: envelope)
            }, body: Array(body.utf8))
        job.charges = charges
        (job.route, job.options) = (route, options)
        (job.query, job.headers, job.logging) = (query, headers, logging)
        job = job.withOwnSeal
        let admission = JobAdmission(
            redis: redis, envelope: envelope,
            limits: .init(entries: 1000, bytes: 1 << 30, rolloutTTL: .seconds(600), spanBytes: 1 << 20),
            keySpace: .local)
        guard case .queued = try await admission.enqueue(job, on: local, for: client) else { throw ResponseMissing() }
        return job
    }

    /// A forwarder that takes jobs and drops out of sight with them, as if its machine had died.
    func lose(to name: String = ProcessName.random()) async throws -> Delivery {
        let stream = try await member(name)
        var deliveries = try await stream.claim(upTo: 1, running: [])
        if deliveries.isEmpty { deliveries = try await stream.read(upTo: 1, wait: .milliseconds(100)) }
        let delivery = try #require(try await stream.readKeys(of: deliveries).first)
        try await stream.leave()
        return delivery
    }

    func member(_ name: String) async throws -> JobStream {
        let stream = JobStream(consumer: name, commands: redis, reader: redis, deadLetterLimit: 100)
        _ = try await stream.beat()
        try await stream.join()
        return stream
    }

    /// The span that was kept of a job, opened.
    func span(of job: Job) async throws -> ReadSpan {
        let sealed = try #require(try await redis.send(RedisCommand("GET", Keys.span(job.insertionID))).bytes)
        return try ReadSpan(try envelope.open(sealed, for: .span(job.insertionID)))
    }

    /// The ids that the rollout still counts.
    func members() async throws -> Set<String> {
        Set((try await redis.send(RedisCommand("SMEMBERS", Self.rollout)).array ?? []).compactMap(\.string))
    }

    func exists(_ key: String) async throws -> Bool { try await redis.send(RedisCommand("EXISTS", key)).int == 1 }

    func length(_ key: String) async throws -> Int? { try await redis.send(RedisCommand("XLEN", key)).int }

    struct ResponseMissing: Error {}
}

/// The ingress's side of the answers: reads one frame after the other, and waits for each.
struct AnswerReader: Sendable {
    let redis: RedisClient
    let key: String
    let envelope: Envelope
    private let last = LastEntry()

    init(redis: RedisClient, key: String, envelope: Envelope) {
        (self.redis, self.key, self.envelope) = (redis, key, envelope)
    }

    /// The next frame of any answer.
    /// - Parameter own: opens the frames of a job that has a seal of its own.
    func next(opening own: Envelope? = nil) async throws -> (id: InsertionID, frame: ResponseFrame) {
        while true {
            try await redis.waitUntilReady(timeout: .seconds(10))
            // A connection that is there may be that of a server that was just killed.
            guard
                let reply = try await whileConnected(
                    RedisCommand("XREAD", "COUNT", 1, "BLOCK", 20_000, "STREAMS", key, last.id))
            else { continue }
            let entry = reply[0][1][0]
            last.id = try #require(entry[0].string)
            guard let id = entry[1][1].string.flatMap({ InsertionID($0) }), let sealed = entry[1][3].bytes else {
                continue
            }
            return (id, try ResponseFrame(wireBytes: (own ?? envelope).open(sealed, for: .frame(id))))
        }
    }

    /// - Returns: nil if the connection ended meanwhile.
    private func whileConnected(_ command: RedisCommand) async throws -> RedisValue? {
        do { return try await redis.send(command, timeout: .seconds(25)) } catch  where error.serverCode == nil {
            return nil
        }
    }

    /// The next frame, which must be one of this job. One that was written twice, since the reply to the first writing
    /// was lost, is known by its number.
    func next(of job: Job) async throws -> ResponseFrame {
        while true {
            let (id, frame) = try await next(opening: job.answerEnvelope(envelope))
            try #require(id == job.insertionID)
            if frame.sequence == .max { return frame }
            guard last.isNew(frame.sequence, of: id) else { continue }
            return frame
        }
    }
}

/// Where a reader stands.
private final class LastEntry: Sendable {
    private let box = NIOLockedValueBox("0-0")
    private let numbers = NIOLockedValueBox<[InsertionID: UInt64]>([:])
    var id: String {
        get { box.withLockedValue { $0 } }
        set { box.withLockedValue { $0 = newValue } }
    }

    /// Whether a frame of this number has not been read before.
    func isNew(_ number: UInt64, of id: InsertionID) -> Bool {
        numbers.withLockedValue { numbers in
            guard number >= numbers[id] ?? 0 else { return false }
            numbers[id] = number + 1
            return true
        }
    }
}
