import JSON
import Queue
import TestSupport
import Testing

@testable import Common
@testable import Ingress
@testable import Redis

/// Where the completions of a rollout are that have no trace yet.
@Suite(.timeLimit(.minutes(1))) struct OpenCompletionsTests {
    private static func open(_ redis: RedisClient, isTracedByProxy: Bool = false) -> OpenCompletions {
        OpenCompletions(
            redis: redis, keySpace: KeySpace(defaultProject: "main"), longestWait: .seconds(300),
            isTracedByProxy: isTracedByProxy)
    }

    private func withRedis(_ body: (RedisClient) async throws -> Void) async throws {
        try await withRedisServer { server in try await withRedisClient(server.endpoint, body) }
    }

    /// What is told: the ids with their places, and how many more there are.
    private func ask(
        _ redis: RedisClient, project: String = "main", now: Timestamp = .now
    ) async throws -> (places: [String], ids: [String], leftOut: String) {
        let bytes = try await Self.open(redis).answer(of: Rollout("r1", project: project), now: now)
        let answer = try JSONObject.scan(bytes, maximumDepth: 8)
        let open = (answer.member("open").flatMap { answer.elements($0) } ?? []).compactMap { element in
            try? JSONObject.scan(answer.bytes, range: element.value, maximumDepth: .max)
        }
        func text(_ object: JSONObject, _ name: String) -> String {
            object.member(name).flatMap { object.string($0) } ?? ""
        }
        let leftOut = answer.member("left_out").map { String(decoding: answer.bytes[$0.value], as: UTF8.self) }
        return (open.map { text($0, "stage") }, open.map { text($0, "insertion_id") }, leftOut ?? "")
    }

    @Test func `each is where its keys say`() async throws {
        try await withRedis { redis in
            let generator = InsertionIDGenerator()
            let ids = (0..<6).map { _ in generator.next() }
            for id in ids.reversed() { _ = try await redis.send(RedisCommand("SADD", "r1", id.description)) }
            _ = try await redis.send(RedisCommand("SADD", "r1", "no id"))
            _ = try await redis.send(RedisCommand("SET", Keys.started(ids[1]), "f", "EX", 60))
            _ = try await redis.send(RedisCommand("SET", Keys.span(ids[2]), "x", "EX", 7200))
            _ = try await redis.send(RedisCommand("SET", Keys.span(ids[3]), "x", "EX", 3600))
            _ = try await redis.send(RedisCommand("SET", Keys.span(ids[4]), "x"))
            let verified = Keys.verified(of: Rollout("r1", project: "main"))
            _ = try await redis.send(RedisCommand("SADD", verified, ids[5].description))
            let found = try await ask(redis)
            #expect(found.ids == ids.prefix(5).map(\.description), "in the order in which they came")
            #expect(found.places == ["queued", "running", "waits", "accepted", "waits"] && found.leftOut == "0")
            // Later than any call takes, what has left nothing is missing.
            let later = try await ask(redis, now: Timestamp.now + .seconds(301))
            #expect(later.places == ["missing", "missing", "waits", "accepted", "waits"])
            let other = try await ask(redis, project: "sibling")
            #expect(other.ids.isEmpty, "another project's rollout of the name is another one")
        }
    }

    @Test func `many are counted`() async throws {
        try await withRedis { redis in
            let generator = InsertionIDGenerator()
            var command = RedisCommand("SADD", "r1")
            for _ in 0..<OpenCompletions.mostOpen + 7 { command.append(generator.next().description) }
            _ = try await redis.send(command)
            let found = try await ask(redis)
            #expect(found.ids.count == OpenCompletions.mostOpen && found.leftOut == "7")
            var more = RedisCommand("SADD", "r1")
            for _ in 0..<OpenCompletions.mostIDs { more.append(generator.next().description) }
            _ = try await redis.send(more)
            let large = try await ask(redis)
            #expect(large.ids.isEmpty && large.leftOut == "\(OpenCompletions.mostIDs + OpenCompletions.mostOpen + 7)")
        }
    }

    @Test func `what is no rollout is empty`() async throws {
        try await withRedis { redis in
            let none = try await ask(redis)
            #expect(none.ids.isEmpty && none.leftOut == "0")
            _ = try await redis.send(RedisCommand("SET", "r1", "x"))
            let other = try await ask(redis)
            #expect(other.ids.isEmpty && other.leftOut == "0")
        }
    }

    @Test func `a proxy's trace is the proxy's affair`() async throws {
        try await withRedis { redis in
            let open = Self.open(redis, isTracedByProxy: true)
            #expect(open.stage(life: -2, hasStarted: false, age: .seconds(300)) == .proxy)
            #expect(open.stage(life: -2, hasStarted: false, age: .milliseconds(299_999)) == .queued)
        }
    }

    @Test(arguments: [
        ("/rollouts/r1/open", "r1"), ("/rollouts/a%2Fb/open", "a/b"), ("/rollouts/r1", nil),
        ("/rollouts/r1/other", nil),
        ("/rollouts/r1/open/x", nil), ("/traces/r1/open", nil), ("/rollouts/%FF/open", nil),
    ])
    func `the path names the rollout`(path: String, rollout: String?) {
        #expect(OpenCompletions.rollout(in: path) == rollout)
    }
}
