import Common
import Redis
import TestSupport
import Testing

/// Somebody else writes to the gateway's Redis. What is none of the gateway's own is put aside or passed over; the
/// gateway lives, and answers.
@Suite(.timeLimit(.minutes(5))) struct TamperedRedisTests {
    private static let id = "01890a5d-ac96-774b-bcce-b302099a8057"

    private static var garbage: [[UInt8]] {
        [
            [], [0], Array("{}".utf8), Array(#"{"__proto__": {"x": 1}}"#.utf8), [UInt8](repeating: 0xFF, count: 100),
            [UInt8](repeating: 0, count: 2 << 20),
            Array(String(repeating: "[", count: 100_000).utf8), Array("cposix\nsystem\n(S'id'\ntR.".utf8),
            [0x80, 0x04, 0x95],
        ]
    }

    @Test func `entries of strangers are dead letters`() async throws {
        try await HostileGateway.run(environment: ["FORWARDER_CONCURRENCY": "2"]) { connection, _ in
            try await connection.closed()
        } _: { gateway in
            try await withRedisClient(gateway.folder.redis) { redis in
                var count = 0
                for payload in Self.garbage {
                    for id in [Self.id, "none", ""] {
                        _ = try await redis.send(RedisCommand("XADD", Keys.jobs, "*", "i", id, "p", payload))
                        count += 1
                    }
                }
                for (field, value) in [("x", "y"), ("i", Self.id), ("p", "x"), ("", "")] {
                    _ = try await redis.send(RedisCommand("XADD", Keys.jobs, "*", field, value))
                    count += 1
                }
                try await eventually(within: .seconds(30)) {
                    try await redis.send(RedisCommand("XLEN", Keys.jobs)).int == 0
                }
                #expect(try await redis.send(RedisCommand("XLEN", Keys.dead)).int == count)
                let kept = try await redis.send(RedisCommand("XRANGE", Keys.dead, "-", "+")).array ?? []
                #expect(
                    kept.allSatisfy { ($0[1].array ?? []).reduce(0) { $0 + ($1.bytes?.count ?? 0) } < 70_000 },
                    "a large one is not kept")
            }
            try await gateway.expectGoodAnswer()
        }
    }

    /// While a call runs, its answer's stream and all channels are filled with what is none of theirs.
    @Test func `frames and news of strangers are nobodys answer`() async throws {
        let allSaid = TestSignal()
        try await HostileGateway.run { connection, _ in
            await allSaid.wait()
            try await connection.write(HostileGateway.good)
        } _: { gateway in
            try await withRawClient(to: gateway.port) { client in
                try await client.send("POST", ServeTests.path, body: HostileGateway.body())
                try await withRedisClient(gateway.folder.redis) { try await sayGarbage($0) }
                allSaid.send()
                let answer = try await client.answer()
                #expect(answer.status == 200 && answer.text == #"{"ok":true}"#, "\(answer.text)")
            }
            try await gateway.expectGoodAnswer()
        }
    }

    private func sayGarbage(_ redis: RedisClient) async throws {
        var ids: [String] = []
        try await eventually {
            ids = try await redis.send(RedisCommand("SMEMBERS", "demo")).array?.compactMap(\.string) ?? []
            return ids.count == 1
        }
        let id = ids.joined()
        let streams = try await redis.send(RedisCommand("KEYS", Keys.responses(ingress: "*"))).array ?? []
        let stream = try #require(streams.first?.string)
        for payload in Self.garbage {
            for id in [id, Self.id, "none"] {
                _ = try await redis.send(RedisCommand("XADD", stream, "*", "i", id, "p", payload))
            }
        }
        _ = try await redis.send(RedisCommand("XADD", stream, "*", "x", "y"))
        // The running call's id alone would be news of it: whoever can publish can cancel.
        let news = [
            "", " ", "none", Self.id, String(id.dropLast()), id + id, "x \(id)", String(repeating: "x", count: 100_000),
        ]
        for said in news { _ = try await redis.send(RedisCommand("PUBLISH", Keys.cancellations, said)) }
        for said in news + ["\(id) x", "\(id) -1", "\(id) 99999999999999999999", "\(id) 1 2"] {
            _ = try await redis.send(RedisCommand("PUBLISH", Keys.credits, said))
        }
    }
}
