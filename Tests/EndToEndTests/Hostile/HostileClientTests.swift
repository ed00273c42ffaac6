import Common
import FoundationEssentials
import Redis
import TestSupport
import Testing

/// Clients that do not play fair, against a whole gateway. Whatever they do, nothing of it is left behind.
@Suite(.timeLimit(.minutes(5))) struct HostileClientTests {
    /// How often something is done within one count: a leak of one each time cannot hide.
    private static let times = 10

    private func withGateway(
        environment: [String: String] = [:], _ body: (HostileGateway) async throws -> Void
    ) async throws {
        try await HostileGateway.run(environment: environment, { connection, _ in try await connection.closed() }, body)
    }

    private static let waiting = ServeTests.body("mock/echo?delay_ms=600000")
    private static let streaming = ServeTests.body("mock/echo?chunks=1000&pace_ms=100", stream: true)

    private static func request(_ body: String) -> [UInt8] {
        Array(
            "POST \(ServeTests.path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                .utf8)
    }

    @Test func `a request may come byte by byte and leaves nothing`() async throws {
        try await withGateway { gateway in
            try await LeakCheck.around(gateway) {
                try await withRawClient(to: gateway.port) { client in
                    let body = HostileGateway.body("mock/echo")
                    let head =
                        "POST /chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    for byte in head.utf8 { try await client.send([byte]) }
                    for byte in body.utf8 { try await client.send(ScriptedServer.Connection.chunk([byte])) }
                    try await client.send("0\r\n\r\n")
                    #expect(try await client.answer().status == 200)
                }
            }
        }
    }

    /// The client leaves at every stage of a request: before its head, after each byte of head and body, and while the
    /// answer is awaited.
    @Test(arguments: Leaving.allCases) func `a request that is broken off anywhere leaves nothing`(
        leaving: Leaving
    ) async throws {
        let request = Self.request(Self.waiting)
        try await withGateway { gateway in
            try await LeakCheck.around(gateway) {
                for length in stride(from: 0, through: request.count, by: 3) {
                    try await withRawClient(to: gateway.port) { client in
                        if length > 0 { try await client.send(Array(request.prefix(length))) }
                        try await leaving.leave(client)
                    }
                }
            }
        }
    }

    @Test(arguments: Leaving.allCases) func `a call that is broken off before its answer leaves nothing`(
        leaving: Leaving
    ) async throws {
        try await withGateway { gateway in
            try await LeakCheck.around(gateway) {
                try await withRedisClient(gateway.folder.redis) { redis in
                    for _ in 0..<Self.times {
                        try await withRawClient(to: gateway.port) { client in
                            try await client.send(Self.request(Self.waiting))
                            // It runs: a forwarder has been given it.
                            try await eventually {
                                try await redis.send(RedisCommand("XPENDING", Keys.jobs, Keys.jobGroup))[0].int == 1
                            }
                            try await leaving.leave(client)
                        }
                        try await eventually { try await redis.send(RedisCommand("XLEN", Keys.jobs)).int == 0 }
                    }
                }
            }
        }
    }

    @Test(arguments: Leaving.allCases) func `a stream that is broken off leaves nothing`(leaving: Leaving) async throws
    {
        try await withGateway { gateway in
            try await LeakCheck.around(gateway) {
                for events in 0..<Self.times {
                    try await withRawClient(to: gateway.port) { client in
                        try await client.send(Self.request(Self.streaming))
                        #expect(try await client.head().status == 200)
                        for _ in 0..<events % 4 { #expect(try await client.chunk() != nil) }
                        try await leaving.leave(client)
                    }
                }
            }
        }
    }

    @Test func `seventy thousand headers are refused and leave nothing`() async throws {
        try await withGateway { gateway in
            let headers = (0..<70_000).map { "x\($0):\r\n" }.joined()
            let peak = ProcessFigures(id: gateway.process.id)
            let resident = try peak.resident()
            try await LeakCheck.around(gateway) {
                for _ in 0..<Self.times {
                    try await withRawClient(to: gateway.port) { client in
                        try await client.send(
                            "POST \(ServeTests.path) HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n")
                        let answer = try await client.answer()
                        #expect(answer.status == 431 && answer.error?.code == "headers_too_large")
                    }
                }
                try await gateway.expectGoodAnswer()
            }
            #expect(try peak.peak() - resident < 64 << 20)
        }
    }

    /// More connections than are ever used: none says a word, or none ends its head.
    @Test(arguments: ["", "POST /chat/completions HTTP/1.1\r\nHost: localhost\r\nX-A: "])
    func `idle connections do not stop others`(
        beginning: String
    ) async throws {
        try await withGateway { gateway in
            try await LeakCheck.around(gateway) {
                try await withThrowingTaskGroup { group in
                    let (port, ready) = (gateway.port, Counter())
                    for _ in 0..<200 {
                        group.addTask {
                            try await withRawClient(to: port) { client in
                                if !beginning.isEmpty { try await client.send(beginning) }
                                ready.add()
                                _ = await client.untilClosed()
                            }
                        }
                    }
                    try await eventually { ready.value == 200 }
                    try await gateway.expectGoodAnswer()
                    group.cancelAll()
                }
            }
        }
    }

    @Test func `an idle connection is closed`() async throws {
        try await withGateway(environment: ["CLIENT_IDLE_TIMEOUT": "1"]) { gateway in
            try await LeakCheck.around(gateway) {
                for beginning in [
                    "", "POST /chat/completions HTTP/1.1\r\nHost: localhost\r\nX-A: ",
                    "POST /chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
                ] {
                    try await withRawClient(to: gateway.port) { client in
                        if !beginning.isEmpty { try await client.send(beginning) }
                        _ = await client.untilClosed()
                    }
                }
            }
        }
    }

    @Test func `pipelined requests are answered in order`() async throws {
        try await withGateway { gateway in
            try await LeakCheck.around(gateway) {
                try await withRawClient(to: gateway.port) { client in
                    for number in 0..<50 {
                        let body =
                            #"{"model": "mock/echo", "messages": [{"role": "user", "content": "number-\#(number)"}]}"#
                        try await client.send("POST", "/chat/completions", body: body)
                    }
                    for number in 0..<50 {
                        let answer = try await client.answer()
                        #expect(
                            answer.status == 200 && answer.text.contains("number-\(number)\""),
                            "\(number): \(answer.text)")
                    }
                }
            }
        }
    }

    /// The first request waits, the others stand behind it, and the client goes.
    @Test(arguments: Leaving.allCases) func `pipelined requests that are broken off leave nothing`(
        leaving: Leaving
    ) async throws {
        try await withGateway { gateway in
            try await LeakCheck.around(gateway) {
                for _ in 0..<Self.times {
                    try await withRawClient(to: gateway.port) { client in
                        for _ in 0..<20 { try await client.send(Self.request(Self.waiting)) }
                        try await leaving.leave(client)
                    }
                }
            }
        }
    }

    /// Bytes behind a request that are none of the next: the request is answered, or the connection ends; no byte is
    /// taken for another request.
    @Test func `garbage behind a request leaves nothing`() async throws {
        try await withGateway { gateway in
            try await LeakCheck.around(gateway) {
                for _ in 0..<Self.times {
                    try await withRawClient(to: gateway.port) { client in
                        try await client.send(
                            Self.request(HostileGateway.body("mock/echo?delay_ms=50"))
                                + Array("\u{0}\u{1}garbage\r\n\r\n".utf8))
                        let said = String(decoding: await client.untilClosed(), as: UTF8.self)
                        #expect(!said.contains("HTTP/1.1 5"), "\(said)")
                    }
                    try await gateway.forgetRollout()
                }
            }
        }
    }
}
