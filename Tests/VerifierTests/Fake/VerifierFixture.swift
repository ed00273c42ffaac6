import Logging
import NIOConcurrencyHelpers
import TestSupport

@testable import Common
@testable import Redis
@testable import Verifier

/// A verifier over a private Redis and a trace store in memory, and the acts of ingress, forwarder and exporter.
final class VerifierFixture: Sendable {
    let redis: RedisClient
    let time: ManualTime
    let store: FakeLangfuse
    let options: VerificationRunner.Options
    let ids = InsertionIDGenerator()

    private init(_ redis: RedisClient, store: FakeLangfuse, options: VerificationRunner.Options) {
        self.redis = redis
        self.store = store
        self.options = options
        time = ManualTime()
    }

    static func run(
        store: FakeLangfuse = FakeLangfuse(), identity: TraceIdentity = .traceID,
        _ body: @Sendable (VerifierFixture) async throws -> Void
    ) async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                var options = VerificationRunner.Options(keySpace: .local)
                options.identity = identity
                try await body(VerifierFixture(redis, store: store, options: options))
            }
        }
    }

    /// A verifier of its own, as another process would have.
    func verifier(
        projects: [String] = ["local"], capacity: VerifierCapacity = VerifierCapacity()
    ) -> VerificationRunner {
        let sample = TraceDestination.sample
        let destinations = TraceDestinations(
            Dictionary(uniqueKeysWithValues: projects.map { (UTF8Text($0), sample.keys) }), at: sample.host)
        return VerificationRunner(
            redis: redis, upstream: store, options: options, destinations: destinations, capacity: capacity,
            clock: time.clock, logger: .silent)
    }

    @discardableResult
    func send<each Argument: RedisArgument>(
        _ name: String, _ arguments: repeat each Argument
    ) async throws -> RedisValue {
        try await redis.send(RedisCommand(name, repeat each arguments))
    }

    /// Records a completion that is in flight, as ingress does.
    func begin(_ ids: [InsertionID], rollout: String = "r") async throws {
        for start in stride(from: 0, to: ids.count, by: 1000) {
            var command = RedisCommand("SADD", rollout)
            command.append(contentsOf: ids[start..<min(start + 1000, ids.count)].map(\.description))
            _ = try await redis.send(batch: [
                command, RedisCommand("DEL", Keys.verdict(of: Rollout(rollout, project: "local"))),
            ])
        }
        try await send("EXPIRE", rollout, 86_400)
    }

    /// Ends a completion without success, as a forwarder does.
    func fail(_ id: InsertionID, rollout: String = "r") async throws {
        _ = try await redis.send(batch: [
            RedisCommand("MULTI"), RedisCommand("SREM", rollout, id.description),
            RedisCommand("DEL", Keys.verdict(of: Rollout(rollout, project: "local"))),
            RedisCommand("HINCRBY", Keys.rolloutRecord(of: Rollout(rollout, project: "local")), "failed", 1),
            RedisCommand("EXEC"),
        ])
    }

    /// Puts a span into the outbox, as a forwarder does.
    func finish(_ id: InsertionID) async throws {
        _ = try await redis.send(batch: [
            RedisCommand("SET", Keys.span(id), "sealed", "EX", 86_400),
            RedisCommand("XADD", Keys.traces(project: "local"), "*", "i", id.description, "n", 6, "succeeded", ""),
        ])
    }

    /// Takes the outbox's entries and keeps their spans for an hour more, as the exporter does.
    /// - Returns: their ids.
    @discardableResult
    func export(keeping life: Int = 3_600_000) async throws -> [InsertionID] {
        var ids: [InsertionID] = []
        for entry in try await send("XRANGE", Keys.traces(project: "local"), "-", "+").array ?? [] {
            guard let id = entry[1][1].string.flatMap({ InsertionID($0) }) else { continue }
            ids.append(id)
            try await send("XDEL", Keys.traces(project: "local"), entry[0].string ?? "")
            try await send("PEXPIRE", Keys.span(id), life)
        }
        return ids
    }

    /// Completions from beginning to the trace store.
    @discardableResult
    func complete(_ count: Int, rollout: String = "r") async throws -> [InsertionID] {
        try await complete((0..<count).map { _ in self.ids.next() }, rollout: rollout)
    }

    @discardableResult
    func complete(_ ids: [InsertionID], rollout: String = "r") async throws -> [InsertionID] {
        try await begin(ids, rollout: rollout)
        store.show(ids.map { FakeSpan($0, rollout: rollout) })
        for start in stride(from: 0, to: ids.count, by: 1000) {
            let spans = ids[start..<min(start + 1000, ids.count)].map {
                RedisCommand("SET", Keys.span($0), "sealed", "PX", 3_600_000)
            }
            _ = try await redis.send(batch: spans)
        }
        return ids
    }

    func patience(_ duration: Duration = .seconds(60), attempts: Int? = nil) -> VerificationRunner.WaitPolicy {
        .init(deadline: time.now + Int64(duration / .milliseconds(1)), attempts: attempts)
    }

    /// Asks, and keeps the answer.
    func ask(
        _ path: String, query: String? = nil, headers: [HeaderField] = [], project: String = "local"
    ) async throws -> CollectingSink {
        let sink = CollectingSink()
        let question = Question(
            project: project, path: path, query: query, headers: headers, deadline: time.now + 300_000)
        try await verifier(projects: [project]).answer(question, to: sink)
        return sink
    }
}
