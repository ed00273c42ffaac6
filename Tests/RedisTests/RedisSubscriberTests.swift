import TestSupport
import Testing

@testable import Common
@testable import Redis

@Suite(.timeLimit(.minutes(5))) struct RedisSubscriberTests {
    private func message(_ channel: String, _ payload: String) throws -> RedisMessage {
        let parts = ["message", channel, payload].map { RedisValue.bytes(Array($0.utf8)) }
        return try #require(RedisMessage(.array(parts)))
    }

    @Test func `delivers in order and subscribes again after a crash`() async throws {
        try await withRedisServer { server in
            try await withRedisSubscriber(server.endpoint, channels: ["a", "b"]) { stream in
                var events = stream.makeAsyncIterator()
                for round in 1...2 {
                    #expect(await events.next() == .subscribed)
                    let sent = try (0..<100).map { try message($0.isMultiple(of: 2) ? "a" : "b", "\(round)/\($0)") }
                    try await withRedisClient(server.endpoint) { client in
                        let commands = sent.map { RedisCommand("PUBLISH", $0.channel, $0.payload) }
                        let receivers = try await client.send(batch: commands)
                        #expect(receivers.allSatisfy { $0 == .integer(1) })
                    }
                    var received: [RedisMessage] = []
                    while received.count < sent.count, case .messages(let batch) = await events.next() {
                        received += batch
                    }
                    #expect(received == sent)
                    if round == 1 { try await server.restart() }
                }
            }
        }
    }

    /// The connection's own PING goes between messages and is answered, so a quiet subscription lives on; and finds a
    /// stopped server.
    @Test func `notices a stopped server`() async throws {
        try await withRedisServer { server in
            var endpoint = server.endpoint
            endpoint.keepAliveInterval = .milliseconds(20)
            // Longer than a server that answers may take on a busy machine.
            endpoint.commandTimeout = .seconds(3)
            endpoint.connectTimeout = .seconds(3)
            try await withRedisClient(server.endpoint) { client in
                try await withRedisSubscriber(endpoint, channels: ["a"]) { stream in
                    var events = stream.makeAsyncIterator()
                    #expect(await events.next() == .subscribed)
                    // Time passes on the server, so that several PINGs fall among the messages.
                    for _ in 0..<5 {
                        _ = try await client.send(RedisCommand("BLPOP", "nothing", "0.03"))
                        _ = try await client.send(RedisCommand("PUBLISH", "a", "x"))
                        #expect(await events.next() == .messages([try message("a", "x")]))
                    }
                    server.pause()
                    await #expect(throws: RedisError.self) {
                        try await client.send(RedisCommand("PING"), timeout: .seconds(8))
                    }
                    server.resume()
                    #expect(await events.next() == .subscribed)
                }
            }
        }
    }

    @Test func `a refused channel is not taken for subscribed`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                _ = try await client.send(
                    RedisCommand("ACL", "SETUSER", "narrow", "on", ">pw", "+@all", "resetchannels", "&a"))
                var endpoint = server.endpoint
                endpoint.username = "narrow"
                endpoint.password = SecretString("pw")
                try await withRedisSubscriber(endpoint, channels: ["a", "b"]) { stream in
                    var events = stream.makeAsyncIterator()
                    var log: RedisValue = .null
                    while log.array?.isEmpty ?? true { log = try await client.send(RedisCommand("ACL", "LOG")) }
                    _ = try await client.send(RedisCommand("ACL", "SETUSER", "narrow", "&b"))
                    #expect(await events.next() == .subscribed)
                    #expect(
                        try await client.send(RedisCommand("PUBSUB", "NUMSUB", "b"))
                            == .array([.bytes([UInt8(ascii: "b")]), .integer(1)]))
                }
            }
        }
    }
}
