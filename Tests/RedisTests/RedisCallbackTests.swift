import Common
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Redis

/// Commands whose answers come by callback, on the connection's event loop.
@Suite(.timeLimit(.minutes(5))) struct RedisCallbackTests {
    private static let echo = RedisScript(name: "echo", source: "return {KEYS[1], ARGV[1], #ARGV}")

    /// Calls `send` on the client's event loop, and waits for what calls back.
    private func answer(
        of client: RedisClient,
        _ send: @escaping @Sendable (@escaping @Sendable (Result<RedisValue, RedisError>) -> Void) -> Void
    ) async throws -> Result<RedisValue, RedisError> {
        let loop = client.eventLoop
        let promise = loop.makePromise(of: Result<RedisValue, RedisError>.self)
        let hasReturned = NIOLockedValueBox(false)
        loop.execute {
            send { result in
                #expect(loop.inEventLoop && hasReturned.withLockedValue { $0 })
                promise.succeed(result)
            }
            hasReturned.withLockedValue { $0 = true }
        }
        return try await promise.futureResult.get()
    }

    @Test func `calls back on its event loop after the call`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                let echoed = try await answer(of: client) { client.send(RedisCommand("ECHO", "a"), completion: $0) }
                #expect(try echoed.get().string == "a")
                let refused = try await answer(of: client) { client.send(RedisCommand("INCR"), completion: $0) }
                #expect(throws: RedisError.self) { try refused.get() }
                let tooLarge = try await answer(of: client) {
                    client.send(
                        RedisCommand("ECHO", [UInt8](repeating: 0, count: client.endpoint.maximumUnsentBytes + 1)),
                        completion: $0)
                }
                #expect(throws: RedisError.self) { try tooLarge.get() }
            }
        }
    }

    @Test func `without a connection it fails later`() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let client = RedisClient(
            RedisEndpoint(.unix(path: "/nonexistent/redis.sock")), eventLoop: loop, logger: .silent)
        #expect(client.eventLoop === loop)
        let error = await #expect(throws: RedisError.self) {
            _ = try await answer(of: client) { client.send(RedisCommand("PING"), completion: $0) }.get()
        }
        #expect(error?.code == .unavailable)
    }

    @Test func `a server that forgot a script is sent its source`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                for _ in 0..<2 {
                    let reply = try await answer(of: client) { completion in
                        client.evaluate(
                            Self.echo, keyCount: 1,
                            appendArguments: { command in for text in ["key", "a", "b"] { command.append(text) } },
                            completion: completion)
                    }
                    #expect(
                        try reply.get() == .array([.bytes(Array("key".utf8)), .bytes(Array("a".utf8)), .integer(2)]))
                    _ = try await client.send(RedisCommand("SCRIPT", "FLUSH"))
                }
            }
        }
    }

    /// How often the server has read from its connections.
    private func reads(_ client: RedisClient) async throws -> Int {
        let text = try await client.send(RedisCommand("INFO", "stats")).string ?? ""
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("total_reads_processed:") }
        return try #require(line.flatMap { Int($0.drop { $0 != ":" }.dropFirst()) })
    }

    @Test func `the commands of a turn leave in one write`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                let before = try await reads(client)
                let promises = (0..<100).map { _ in
                    client.eventLoop.makePromise(of: Result<RedisValue, RedisError>.self)
                }
                client.eventLoop.execute {
                    for promise in promises { client.send(RedisCommand("PING")) { promise.succeed($0) } }
                }
                for promise in promises { _ = try await promise.futureResult.get().get() }
                let count = try await reads(client) - before
                #expect(count <= 3, "one for them all, one for the question, and maybe the connection's own PING")
            }
        }
    }

    @Test func `a lost connection fails all in flight`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                server.pause()
                let promises = (0..<10).map { _ in client.eventLoop.makePromise(of: Result<RedisValue, RedisError>.self)
                }
                for promise in promises {
                    client.send(RedisCommand("PING"), timeout: .seconds(300)) { promise.succeed($0) }
                }
                server.kill()
                for promise in promises {
                    guard case .failure(let error) = try await promise.futureResult.get() else { throw NotLost() }
                    #expect(error.code == .connectionLost || error.code == .unavailable)
                }
            }
        }
    }

    private struct NotLost: Error {}
}
