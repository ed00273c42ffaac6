import TestSupport
import Testing

@testable import Common
@testable import Redis

@Suite(.timeLimit(.minutes(5))) struct RedisWatchTests {
    private let envelope = Envelope(key: .random())

    /// Runs a watch while `body` does.
    private func withWatch(
        _ endpoint: RedisEndpoint, envelope: Envelope? = nil, isAlone: Bool = false,
        _ body: (RedisWatch) async throws -> Void
    ) async throws {
        let watch = RedisWatch(endpoint, envelope: envelope ?? self.envelope, isAlone: isAlone, logger: .silent)
        try await withThrowingTaskGroup { group in
            group.addTask { try await watch.run() }
            defer { group.cancelAll() }
            try await body(watch)
        }
    }

    @Test func `the first writes its key and the others find it`() async throws {
        try await withRedisServer { server in
            try await withWatch(server.endpoint) { watch in try await eventually { watch.hasRightKey } }
            try await withWatch(server.endpoint) { watch in
                try await eventually { watch.hasRightKey }
                #expect(watch.trouble == nil)
            }
            try await withRedisClient(server.endpoint) { redis in
                let (known, life) = try await (
                    redis.send(RedisCommand("GET", Keys.keyFingerprint)),
                    redis.send(RedisCommand("TTL", Keys.keyFingerprint))
                )
                #expect(known.string == envelope.keyFingerprint && life.int == -1)
            }
        }
    }

    /// A machine whose clock is off says so, with how much.
    @Test(arguments: [(40_000, "ahead of"), (-40_000, "behind"), (0, nil)] as [(Int64, String?)])
    func `another time than Redis is seen`(offset: Int64, word: String?) async throws {
        try await withRedisServer { server in
            let watch = RedisWatch(
                server.endpoint, envelope: envelope, skewLimit: .seconds(30),
                clock: { Timestamp.now + offset }, logger: .silent)
            try await withThrowingTaskGroup { group in
                group.addTask { try await watch.run() }
                defer { group.cancelAll() }
                try await eventually { watch.hasRightKey }
                #expect((watch.clockWarning == nil) == (word == nil))
                if let word { #expect(watch.clockWarning?.contains(word) == true, "\(watch.clockWarning ?? "")") }
            }
        }
    }

    /// The same for all who share the key, another for each other key, and of no use to whoever reads it.
    @Test func `the fingerprint tells keys apart and nothing else`() {
        let key = GatewayKey.random()
        let fingerprint = Envelope(key: key).keyFingerprint
        #expect(fingerprint == Envelope(key: key).keyFingerprint && fingerprint.count == 32)
        #expect(Set((0..<100).map { _ in Envelope(key: .random()).keyFingerprint }).count == 100)
        let hex = key.reveal().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(!hex.contains(fingerprint.prefix(8)))
    }

    @Test(arguments: [true, false]) func `another key at the start ends it`(redisComesLate: Bool) async throws {
        var options = RedisServer.Options()
        options.isDurable = true
        try await withRedisServer(options) { server in
            try await withRedisClient(server.endpoint) {
                _ = try await $0.send(RedisCommand("SET", Keys.keyFingerprint, "another"))
            }
            if redisComesLate { server.kill() }
            let watch = RedisWatch(server.endpoint, envelope: envelope, logger: .silent)
            try await withThrowingTaskGroup { group in
                group.addTask { try await watch.run() }
                if redisComesLate { try await server.start() }
                await #expect(throws: OtherGatewayKey.self) { try await group.next() }
                #expect(!watch.hasRightKey)
            }
        }
    }

    /// Flushed, replaced by another's, deleted to change the key: it is seen within a second or two, and what is right
    /// again goes on.
    @Test func `what changes on the way is seen`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                try await withWatch(server.endpoint) { watch in
                    try await eventually { watch.hasRightKey }
                    for round in 0..<2 {
                        _ = try await redis.send(RedisCommand("FLUSHALL"))
                        try await eventually {
                            try await redis.send(RedisCommand("GET", Keys.keyFingerprint)).string
                                == envelope.keyFingerprint
                        }
                        _ = try await redis.send(
                            RedisCommand("SET", Keys.keyFingerprint, Envelope(key: .random()).keyFingerprint))
                        try await eventually { watch.trouble == .otherKey && !watch.hasRightKey }
                        _ = try await redis.send(
                            round == 0
                                ? RedisCommand("DEL", Keys.keyFingerprint)
                                : RedisCommand("SET", Keys.keyFingerprint, envelope.keyFingerprint))
                        try await eventually { watch.trouble == nil && watch.hasRightKey }
                    }
                }
            }
        }
    }

    /// Databases of one server are each for themselves.
    @Test func `another database has another key`() async throws {
        try await withRedisServer { server in
            try await withWatch(server.endpoint) { watch in
                try await eventually { watch.hasRightKey }
                var other = server.endpoint
                other.database = 1
                try await withWatch(other, envelope: Envelope(key: .random())) { second in
                    try await eventually { second.hasRightKey }
                }
                #expect(watch.trouble == nil)
            }
        }
    }

    /// `serve` with a Redis of its own, whose key was changed or lost: nothing is given up by that.
    @Test(
        arguments: [(nil, true), (Keys.jobs, false), (Keys.verifications, false), (Keys.traceBytes, false)]
            as [(String?, Bool)])
    func `a key of its own is replaced where nothing waits`(waiting: String?, isReplaced: Bool) async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                _ = try await redis.send(
                    RedisCommand("SET", Keys.keyFingerprint, Envelope(key: .random()).keyFingerprint))
                switch waiting {
                case Keys.traceBytes?: _ = try await redis.send(RedisCommand("SET", Keys.traceBytes, 7))
                case let stream?: _ = try await redis.send(RedisCommand("XADD", stream, "*", "i", "x"))
                case nil: break
                }
                let watch = RedisWatch(server.endpoint, envelope: envelope, isAlone: true, logger: .silent)
                try await withThrowingTaskGroup { group in
                    group.addTask { try await watch.run() }
                    defer { group.cancelAll() }
                    if isReplaced {
                        try await eventually { watch.hasRightKey }
                        #expect(
                            try await redis.send(RedisCommand("GET", Keys.keyFingerprint)).string
                                == envelope.keyFingerprint)
                    } else {
                        let error = await #expect(throws: OtherGatewayKey.self) { try await group.next() }
                        #expect(error?.description.contains("gateway.key") == true)
                    }
                }
            }
        }
    }
}
