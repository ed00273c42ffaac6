import Common
import Redis
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisClientTests {
    @Test(arguments: [false, true])
    func `keeps the order under concurrent tasks`(overTCP: Bool) async throws {
        var options = RedisServer.Options()
        options.listensOnTCP = overTCP
        try await withRedisServer(options) { server in
            try await withRedisClient(server.tcpEndpoint ?? server.endpoint) { client in
                try await withThrowingTaskGroup { group in
                    for task in 0..<100 {
                        group.addTask {
                            for round in 0..<50 {
                                let echoed = try await client.send(RedisCommand("ECHO", "\(task)/\(round)"))
                                #expect(echoed.string == "\(task)/\(round)")
                                let batch = try await client.send(batch: [
                                    RedisCommand("ECHO", task), RedisCommand("ECHO", round),
                                ])
                                #expect(batch.map(\.int) == [task, round])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `carries large and binary values`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                let large = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
                let everyByte = (0...255).map(UInt8.init)
                _ = try await client.send(RedisCommand("SET", "large", large))
                _ = try await client.send(RedisCommand("SET", everyByte, everyByte))
                #expect(try await client.send(RedisCommand("GET", "large")).bytes == large)
                #expect(try await client.send(RedisCommand("GET", everyByte)) == .bytes(everyByte))

                var push = RedisCommand("RPUSH", "list")
                push.append(contentsOf: 0..<10_000)
                #expect(try await client.send(push) == .integer(10_000))
                #expect(
                    try await client.send(RedisCommand("LRANGE", "list", 0, -1)).array?.map(\.int) == Array(0..<10_000))
                #expect(try await client.send(batch: []).isEmpty)
            }
        }
    }

    @Test func `reads nested replies`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                _ = try await client.send(batch: [
                    RedisCommand("XGROUP", "CREATE", "s", "g", 0, "MKSTREAM"),
                    RedisCommand("XADD", "s", "1-0", "field", [UInt8](0...9)),
                ])
                let reply = try await client.send(
                    RedisCommand("XREADGROUP", "GROUP", "g", "c", "COUNT", 10, "STREAMS", "s", ">"))
                #expect(reply[0][0].string == "s")
                #expect(reply[0][1][0][0].string == "1-0")
                #expect(reply[0][1][0][1].array == [.bytes(Array("field".utf8)), .bytes([UInt8](0...9))])
                #expect(
                    try await client.send(RedisCommand("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")).isNull)
            }
        }
    }

    @Test func `throws a refusal and keeps it in a batch`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                let replies = try await client.send(batch: [
                    RedisCommand("MULTI"), RedisCommand("SET", "k", "text"), RedisCommand("INCR", "k"),
                    RedisCommand("EXEC"), RedisCommand("NOPE"),
                ])
                #expect(replies.count == 5)
                #expect(replies[3][0] == .status("OK"))
                #expect(throws: RedisError.self) { try replies[3][1].get() }
                #expect(throws: RedisError.self) { try replies[4].get() }
                let error = await #expect(throws: RedisError.self) {
                    try await client.send(RedisCommand("LPUSH", "k", "v"))
                }
                #expect(error?.serverCode == "WRONGTYPE")
                #expect(try await client.send(RedisCommand("GET", "k")).string == "text")
            }
        }
    }

    @Test func `sends a script again when the server forgot it`() async throws {
        let script = RedisScript(name: "join", source: "return {KEYS[1], ARGV[1], ARGV[2]}")
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                for _ in 0..<2 {
                    #expect(
                        try await client.evaluate(script, keys: ["k"], arguments: "a", 2).array?.map(\.string) == [
                            "k", "a", "2",
                        ])
                    #expect(try await client.send(RedisCommand("SCRIPT", "EXISTS", script.digest))[0].int == 1)
                    _ = try await client.send(RedisCommand("SCRIPT", "FLUSH"))
                }
                let failing = RedisScript(name: "fails", source: "return redis.error_reply('NOTMINE of another')")
                let error = await #expect(throws: RedisError.self) { try await client.evaluate(failing, keys: []) }
                #expect(error?.serverCode == "NOTMINE")
            }
        }
    }

    @Test func `gives blocking reads their own time`() async throws {
        try await withRedisServer { server in
            var endpoint = server.endpoint
            endpoint.commandTimeout = .milliseconds(200)
            try await withRedisClient(endpoint) { reader in
                // The blocking read outlasts the endpoint's timeout, and another client's command ends it.
                async let entry = reader.send(
                    RedisCommand("XREAD", "BLOCK", 5000, "STREAMS", "s", "0-0"), timeout: .seconds(10))
                let nothing = try await withRedisClient(endpoint) { client in
                    let nothing = try await client.send(RedisCommand("BLPOP", "empty", "0.5"), timeout: .seconds(10))
                    _ = try await client.send(RedisCommand("XADD", "s", "1-0", "f", "v"), timeout: .seconds(10))
                    return nothing
                }
                #expect(nothing.isNull)
                #expect(try await entry[0][1][0][0].string == "1-0")
            }
        }
    }

    @Test func `a cancelled waiter disturbs no other`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { client in
                let connection = try await client.send(RedisCommand("CLIENT", "ID"))
                await withTaskGroup { group in
                    for number in 0..<50 {
                        group.addTask {
                            let reply = try? await client.send(RedisCommand("ECHO", number))
                            #expect(reply?.int == number, "a command in a cancelled task still gets its own answer")
                        }
                    }
                    group.cancelAll()
                }
                #expect(try await client.send(RedisCommand("CLIENT", "ID")) == connection)
                #expect(try await client.send(RedisCommand("CLIENT", "GETNAME")).string == "metadata-gateway")
            }
        }
    }
}
