import FoundationEssentials
import TestSupport
import Testing

@testable import Common
@testable import Redis

/// The primary becomes a replica, and the address leads to another server: a link to a socket stands for the name.
@Suite(.timeLimit(.minutes(5))) struct RedisFailoverTests {
    private func lead(_ link: String, to server: RedisServer) throws {
        try? FileManager.default.removeItem(atPath: link)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: server.folder + "/redis.sock")
    }

    /// The reader and the listener never write; they go to the new primary all the same.
    @Test func `every connection finds the new primary`() async throws {
        try await withRedisServer { former in
            try await withRedisServer { latter in
                let link = former.folder + "/link"
                try lead(link, to: former)
                let endpoint = RedisEndpoint(.unix(path: link))
                try await withRedisClient(endpoint) { commands in
                    try await withRedisClient(endpoint) { reader in
                        try await withRedisSubscriber(endpoint, channels: ["c"]) { events in
                            var iterator = events.makeAsyncIterator()
                            #expect(await iterator.next() == .subscribed)
                            _ = try await reader.send(RedisCommand("GET", "k"))
                            try await former.administer(["REPLICAOF", "127.0.0.1", "1"])
                            // The address follows later than the server, as a name does.
                            try await eventually {
                                do throws(RedisError) {
                                    _ = try await commands.send(RedisCommand("SET", "k", "v"))
                                } catch {
                                    return error.refusal == "READONLY"
                                }
                                return false
                            }
                            try await eventually { !reader.isReady && !commands.isReady }
                            try lead(link, to: latter)
                            let moved = ContinuousClock.now
                            try await eventually { (try? await commands.send(RedisCommand("SET", "k", "new"))) != nil }
                            try await eventually { (try? await reader.send(RedisCommand("GET", "k")).string) == "new" }
                            #expect(await iterator.next() == .subscribed)
                            #expect(moved.duration(to: .now) < .seconds(5))
                            try await latter.administer(["PUBLISH", "c", "x"])
                            guard case .messages(let messages)? = await iterator.next() else {
                                throw CancellationError()
                            }
                            #expect(messages.map { String(decoding: $0.payload, as: UTF8.self) } == ["x"])
                        }
                    }
                }
            }
        }
    }

    /// What was sent before is answered; what was not is refused with the code.
    @Test func `a replica is not stayed with`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                try await server.administer(["REPLICAOF", "127.0.0.1", "1"])
                let replies = try await client.send(batch: [
                    RedisCommand("GET", "a"), RedisCommand("SET", "a", 1), RedisCommand("GET", "a"),
                ])
                #expect(replies[0].isNull && replies[2].isNull, "all of the batch is answered")
                try await eventually { !client.isReady }
                let error = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("PING")) }
                #expect(error?.code == .unavailable && error?.refusal == "READONLY")
                try await server.administer(["REPLICAOF", "NO", "ONE"])
                try await client.waitUntilReady(timeout: .seconds(10))
            }
        }
    }
}
