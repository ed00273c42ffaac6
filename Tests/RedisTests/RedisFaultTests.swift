import Common
import NIOCore
import NIOPosix
import Redis
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisFaultTests {
    /// Commands must fail in less than the second in which a request has to be refused. On an idle machine it is
    /// microseconds.
    private static let atOnce = Duration.milliseconds(500)

    private func failure(_ command: RedisCommand, on client: RedisClient, timeout: Duration? = nil) async -> RedisError?
    {
        do throws(RedisError) {
            _ = try await client.send(command, timeout: timeout)
            return nil
        } catch {
            return error
        }
    }

    /// Returns when the server holds a blocked command.
    private func untilBlocked(_ server: RedisServer) async throws {
        try await withRedisClient(server.endpoint) { client in
            while try await client.send(RedisCommand("INFO", "clients")).string?.contains("blocked_clients:1") != true {
            }
        }
    }

    @Test func `fails at once without a server`() async throws {
        let client = RedisClient(RedisEndpoint(.unix(path: "/nonexistent/redis.sock")), logger: .silent)
        try await withThrowingTaskGroup { group in
            group.addTask { try await client.run() }
            let late = await #expect(throws: RedisError.self) {
                try await client.waitUntilReady(timeout: .milliseconds(30))
            }
            #expect(late?.code == .unavailable)
            let time = await shortestTime {
                let error = await failure(RedisCommand("PING"), on: client)
                #expect(error?.code == .unavailable && error?.mayHaveBeenExecuted == false)
            }
            #expect(time < Self.atOnce)
            group.cancelAll()
            try await group.waitForAll()
            #expect(await client.connections().first { _ in true } == nil, "a client that ended connects no more")
        }
    }

    @Test func `a stopped server costs one timeout and comes back`() async throws {
        try await withRedisServer { server in
            var endpoint = server.endpoint
            endpoint.commandTimeout = .milliseconds(150)
            endpoint.connectTimeout = .milliseconds(150)
            try await withRedisClient(endpoint) { client in
                // The short time is for the stopped server alone: a busy machine may take longer for these.
                _ = try await client.send(RedisCommand("SET", "k", "v"), timeout: .seconds(10))
                server.pause()
                let start = ContinuousClock.now
                await withTaskGroup { group in
                    for _ in 0..<20 {
                        group.addTask { await failure(RedisCommand("GET", "k"), on: client)?.code }
                    }
                    for await code in group { #expect(code == .timeout) }
                }
                #expect(start.duration(to: .now) >= .milliseconds(150))
                #expect(start.duration(to: .now) < .seconds(5))
                // The callers hear of the timeout a moment before the client knows that it has no connection.
                while client.isReady { await Task.yield() }
                server.resume()
                try await client.waitUntilReady(timeout: .seconds(10))
                let value = try await client.send(RedisCommand("GET", "k"), timeout: .seconds(10))
                #expect(value.string == "v")
            }
        }
    }

    /// The shorter wait of a later command is kept although the reply before it is still due.
    @Test func `a short timeout behind a long one is kept`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                server.pause()
                async let long = failure(RedisCommand("PING"), on: client, timeout: .seconds(300))
                let short = await failure(RedisCommand("PING"), on: client, timeout: .milliseconds(50))
                #expect(short?.code == .timeout)
                #expect(await long != nil)
            }
        }
    }

    /// Nothing is asked; the connection's own PING finds out.
    @Test func `notices a stopped server while idle`() async throws {
        try await withRedisServer { server in
            var endpoint = server.endpoint
            endpoint.keepAliveInterval = .milliseconds(50)
            // Long enough for a busy machine to answer the PINGs of a server that runs.
            endpoint.commandTimeout = .seconds(2)
            try await withRedisClient(endpoint) { client in
                server.pause()
                while client.isReady { await Task.yield() }
                server.resume()
                try await client.waitUntilReady(timeout: .seconds(10))
            }
        }
    }

    @Test func `recovers from a crash`() async throws {
        var options = RedisServer.Options()
        options.isDurable = true
        try await withRedisServer(options) { server in
            try await withRedisClient(server.endpoint) { client in
                var generations = client.connections().makeAsyncIterator()
                #expect(await generations.next() == 1)
                _ = try await client.send(RedisCommand("SET", "k", "v"))
                async let blocked = failure(RedisCommand("BLPOP", "nothing", 0), on: client, timeout: .seconds(300))
                try await untilBlocked(server)
                server.kill()
                #expect(await blocked?.code == .connectionLost)
                try await server.start()
                #expect(await generations.next() == 2)
                #expect(client.isReady)
                #expect(try await client.send(RedisCommand("GET", "k")).string == "v")
            }
        }
    }

    @Test func `shuts down while commands wait`() async throws {
        try await withRedisServer { server in
            let client = RedisClient(server.endpoint, logger: .silent)
            try await withThrowingTaskGroup { group in
                group.addTask { try await client.run() }
                try await client.waitUntilReady(timeout: .seconds(10))
                async let blocked = failure(RedisCommand("BLPOP", "nothing", 0), on: client, timeout: .seconds(300))
                try await untilBlocked(server)
                group.cancelAll()
                #expect(await blocked?.code == .connectionLost)
                try await group.waitForAll()
                #expect(await failure(RedisCommand("PING"), on: client)?.code == .unavailable)
            }
        }
    }

    /// A server that answers with something else is not spoken to, and is tried again.
    @Test func `leaves a server that is not Redis`() async throws {
        let (visits, visited) = AsyncStream.makeStream(of: Void.self)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                visited.yield()
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswersInHTTP())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let client = RedisClient(RedisEndpoint(.tcp(host: "127.0.0.1", port: port)), logger: .silent)
        await withThrowingTaskGroup { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            var visit = visits.makeAsyncIterator()
            for _ in 0..<3 { _ = await visit.next() }
            let error = await failure(RedisCommand("PING"), on: client)
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("not the Redis protocol") == true, "\(error?.message ?? "")")
        }
        try await listener.close()
    }
}

private final class AnswersInHTTP: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n")), promise: nil)
    }
}
