import Common
import Redis
import TestSupport
import Testing

@testable import Ingress

/// How an ingress reads its response stream: as much at once as gets through, each frame once, and nothing is left
/// behind it.
@Suite(.timeLimit(.minutes(5))) struct ResponseReaderBatchTests {
    private static let key = Keys.responses(ingress: "here")

    private let pending = PendingRequests()
    private let request: PendingRequest

    init() { request = pending.register(InsertionIDGenerator().next(), deadline: .distantFuture) }

    /// Runs `body` while frames are read, over a connection that takes replies of so many bytes.
    private func reading(
        _ frames: [[UInt8]], replies: Int = 512 << 20, _ body: (RedisClient) async throws -> Void
    ) async throws {
        var options = RedisServer.Options()
        options.arguments = ["--slowlog-log-slower-than", "0", "--slowlog-max-len", "10000"]
        try await withRedisServer(options) { server in
            try await withRedisClient(server.endpoint) { redis in
                for frame in frames { try await add(frame, redis) }
                var endpoint = server.endpoint
                endpoint.maximumReplyBytes = replies
                let reader = ResponseReader(
                    key: Self.key, redis: RedisClient(endpoint, logger: .silent), pending: pending, logger: .silent)
                try await withThrowingTaskGroup { group in
                    group.addTask { try await reader.run() }
                    defer { group.cancelAll() }
                    try await body(redis)
                }
            }
        }
    }

    private func add(_ frame: [UInt8], _ redis: RedisClient) async throws {
        _ = try await redis.send(RedisCommand("XADD", Self.key, "*", "i", request.id.description, "p", frame))
    }

    private func expect(_ frames: [[UInt8]]) async throws {
        try await withTaskCancellationHandler {
            for frame in frames {
                let next = try await request.next()
                #expect(next == .sealed(frame))
            }
        } onCancel: {
            request.end(.deadline)
        }
    }

    private func isEmpty(_ redis: RedisClient) async throws -> Bool {
        try await redis.send(RedisCommand("XLEN", Self.key)).int == 0
    }

    /// How many entries each read asked for that did not have to wait, in their order.
    private func batches(_ redis: RedisClient) async throws -> [Int] {
        let log = try await redis.send(RedisCommand("SLOWLOG", "GET", -1)).array ?? []
        return log.reversed().compactMap { $0[3][0].string == "XREAD" ? $0[3][2].string.flatMap { Int($0) } : nil }
    }

    /// Sixteen of these frames get through at once, and no thirty-two: a read that fails is tried with half as many,
    /// one that goes well is followed by one for twice as many.
    @Test func `what does not get through at once is read in parts`() async throws {
        let frames = (0..<100).map { [UInt8](repeating: UInt8($0), count: 64 << 10) }
        try await reading(frames, replies: 1200 << 10) { redis in
            try await expect(frames)
            let batches = try await batches(redis)
            #expect(batches.prefix(10) == [512, 256, 128, 64, 32, 16, 32, 16, 32, 16])
            #expect(batches.last == 32, "the last four")
            try await eventually { try await isEmpty(redis) }
        }
    }

    /// The connection breaks again and again.
    @Test func `reading goes on behind the last frame over a new connection`() async throws {
        let frames = (0..<40).map { [UInt8($0)] }
        try await reading(Array(frames[..<10])) { redis in
            try await expect(Array(frames[..<10]))
            for frame in frames[10...] {
                _ = try await redis.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
                try await add(frame, redis)
            }
            try await expect(Array(frames[10...]))
            try await eventually { try await isEmpty(redis) }
        }
    }

    /// What was taken is trimmed, whether it was one of ours or not.
    @Test func `what was read is trimmed`() async throws {
        try await reading([[1]]) { redis in
            _ = try await redis.send(RedisCommand("XADD", Self.key, "*", "x", "y"))
            _ = try await redis.send(
                RedisCommand(
                    "XADD", Self.key, "*", "i", InsertionIDGenerator().next().description, "p", "nobody waits for it"))
            try await add([2], redis)
            try await expect([[1], [2]])
            try await eventually { try await isEmpty(redis) }
        }
    }
}
