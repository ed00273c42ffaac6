import Subprocess
import TestSupport
import Testing

/// The log holds no byte of a provider's answer, however it is broken and however much is logged.
@Suite(.timeLimit(.minutes(5))) struct SilentForwarderTests {
    private static let canary = MalformedRequests.canary
    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-\(canary): \(canary)\r\n"
    private static let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
    private static let events =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// Answers by the name of what is broken in them, with the canary in each place of the provider's own text.
    static let answers: [(name: String, answer: String)] = [
        ("no HTTP", "\(canary)\r\n\r\n\(canary)"), ("version", "HTTP/\(canary) 200 OK\r\n\r\n\(canary)"),
        ("status", "HTTP/1.1 \(canary)\r\n\r\n\(canary)"), ("reason", "HTTP/1.1 200 \(canary)\u{1}\r\n\(canary)"),
        ("field without a colon", "HTTP/1.1 200 OK\r\n\(canary)\r\n\r\n\(canary)"),
        ("control in a field", head + "Y: \(canary)\u{1}\0\(canary)\r\n\r\n"),
        ("length", head + "Content-Length: \(canary)\r\n\r\n\(canary)"),
        ("two lengths", head + "Content-Length: 1\r\nContent-Length: 14\r\n\r\n\(canary)"),
        ("short body", head + "Content-Length: 900\r\n\r\n\(canary)"),
        ("chunk's size", chunked + "\(canary)\r\n\(canary)"),
        ("chunk's end", chunked + "e\r\n\(canary)XX\(canary)"),
        ("chunk's extension", chunked + "e;\(canary)=\u{1}\r\n\(canary)\r\n\(canary)"),
        ("trailer", chunked + "0\r\nY: \(canary)\u{1}\r\n\(canary)"), ("cut chunk", chunked + "ff\r\n\(canary)"),
        ("transfer coding", head + "Transfer-Encoding: \(canary), chunked\r\n\r\n\(canary)"),
        ("content coding", head + "Content-Encoding: \(canary)\r\n\r\n\(canary)"),
        ("gzip", head + "Content-Encoding: gzip\r\n\r\n\(canary)"),
        ("redirect", "HTTP/1.1 302 Found\r\nLocation: http://\(canary)/\(canary)\r\n\r\n\(canary)"),
        ("cookie", head + "Set-Cookie: \(canary)=\u{2}\(canary)\r\nContent-Length: 14\r\n\r\n\(canary)"),
        ("JSON", head + "Content-Length: 17\r\n\r\n{\"\(canary)\":"),
        ("UTF-8", head + "Content-Length: 17\r\n\r\n\u{FFFD}\(canary)"),
        ("events", events + "14\r\ndata: \(canary)\r\n"),
        ("error", head.replacing("200 OK", with: "500 \(canary)") + "Content-Length: 14\r\n\r\n\(canary)"),
    ]

    @Test func `a broken answer leaves nothing in the log`() async throws {
        let next = Counter()
        try await HostileGateway.run(environment: ["LOG_LEVEL": "trace"]) { connection, _ in
            try await connection.write(Self.answers[min(next.value, Self.answers.count - 1)].answer)
        } _: { gateway in
            for (index, (name, _)) in Self.answers.enumerated() {
                for isStream in [false, true] { _ = try await gateway.call("hostile/x", stream: isStream) }
                next.add(1)
                // What the call left in the log stands before the next one's.
                try await gateway.expectGoodAnswer("\(index) \(name)")
            }
            try gateway.process.send(.terminate)
            _ = try? await gateway.process.line(with: "\u{0}never")
            #expect(gateway.process.output.count > 1000, "there is a log to look at")
            for line in gateway.process.output.split(separator: "\n") {
                #expect(!MalformedRequests.betrays(String(line)), "\(line)")
            }
        }
    }
}
