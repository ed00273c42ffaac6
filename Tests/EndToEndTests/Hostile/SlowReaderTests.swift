import Common
import TestSupport
import Testing

/// A client that takes its answer slowly, or not at all, makes the provider wait, and not the gateway fill.
@Suite(.timeLimit(.minutes(5))) struct SlowReaderTests {
    private static let total = 48 << 20
    private static let event = Array("data: \(String(repeating: "x", count: 1000))\n\n".utf8)
    /// What may be under way: the window, and the buffers of the system on two loopback connections, which hold some
    /// megabytes each.
    private static let underWay = 24 << 20
    private static let environment = [
        "MAX_BUFFERED_BYTES": "\(256 << 10)", "FORWARDER_CONCURRENCY": "2", "MAX_RESPONSE_BYTES": "\(total)",
    ]

    /// Runs `body` with a gateway whose provider sends a stream of `total` bytes, and what it has sent so far.
    private func withLongStream(_ body: (HostileGateway, Counter) async throws -> Void) async throws {
        let sent = Counter()
        let piece = Array(repeatElement(Self.event, count: 60).joined())
        try await HostileGateway.run(environment: Self.environment) { connection, _ in
            try await connection.write(
                ScriptedServer.Connection.events + "Connection: close\r\n" + ScriptedServer.Connection.chunked)
            for _ in 0..<(Self.total / piece.count) {
                try await connection.write(ScriptedServer.Connection.chunk(piece))
                sent.add(piece.count)
            }
            try await connection.write("0\r\n\r\n")
        } _: { gateway in
            try await body(gateway, sent)
        }
    }

    /// Begins the stream, and does not read on until the provider stands still.
    private func begin(_ client: RawClient, at gateway: HostileGateway, sent: Counter) async throws {
        try await client.send("POST", "/chat/completions", body: HostileGateway.body(stream: true))
        #expect(try await client.head().status == 200)
        var last = -1
        // Each good call makes every part of the gateway turn; where twenty of them move nothing, the stream stands.
        while sent.value != last, sent.value < Self.total {
            last = sent.value
            for _ in 0..<20 { try await gateway.expectGoodAnswer("beside a slow reader") }
        }
    }

    @Test func `a slow reader makes the provider wait and gets all`() async throws {
        try await withLongStream { gateway, sent in
            let process = ProcessFigures(id: gateway.process.id)
            let resident = try process.resident()
            try await LeakCheck.around(gateway) {
                try await withRawClient(to: gateway.port) { client in
                    try await begin(client, at: gateway, sent: sent)
                    #expect(sent.value < Self.underWay)
                    #expect(try process.peak() - resident < 64 << 20)
                    #expect(try await gateway.redisMemory("used_memory") < 16 << 20)
                    var bytes = 0
                    while let chunk = try await client.chunk() { bytes += chunk.count }
                    #expect(bytes == sent.value)
                }
            }
        }
    }

    @Test(arguments: Leaving.allCases) func `a reader that stops and leaves leaves nothing`(
        leaving: Leaving
    ) async throws {
        try await withLongStream { gateway, sent in
            try await LeakCheck.around(gateway) {
                try await withRawClient(to: gateway.port) { client in
                    try await begin(client, at: gateway, sent: sent)
                    try await leaving.leave(client)
                }
            }
            #expect(sent.value < Self.underWay, "the provider was not asked for more")
        }
    }
}
