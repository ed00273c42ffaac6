import Common
import TestSupport
import Testing

/// The last answer of a connection arrives, no matter what its client sends behind the request.
@Suite(.timeLimit(.minutes(5))) struct LastResponseTests {
    /// A request after which the connection closes.
    struct Last: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let version: String
        let headers: String

        init(_ name: String, version: String, headers: String) {
            (testDescription, self.version, self.headers) = (name, version, headers)
        }
    }

    static let lasts = [
        Last("close", version: "1.1", headers: "Connection: close\r\n"),
        Last("close in capitals", version: "1.1", headers: "CONNECTION: CLOSE\r\n"),
        Last("close among others", version: "1.1", headers: "Connection: keep-alive, close\r\n"),
        Last("HTTP/1.0", version: "1.0", headers: ""),
        Last("HTTP/1.0 that is kept", version: "1.0", headers: "Connection: keep-alive\r\n"),
    ]

    /// What comes behind it.
    static let tails: [(name: String, bytes: [UInt8])] = [
        ("nothing", []), ("line ends", Array("\r\n\r\n".utf8)),
        ("a request", Array("GET /health HTTP/1.1\r\nHost: g\r\n\r\n".utf8)),
        ("a completion", Array(post(LiveIngress.path, version: "1.1", headers: "").utf8)),
        ("half a request", Array("POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\nContent-Le".utf8)),
        ("garbage", Array("\u{0}\u{1}no request at all\n\n".utf8)),
        ("a TLS hello", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3]),
        ("very much", [UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20)),
    ]

    private static func post(_ path: String, version: String, headers: String) -> String {
        let body = LiveIngress.body
        return "POST \(path) HTTP/\(version)\r\nHost: g\r\nContent-Type: application/json\r\n\(headers)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// A completion, which is answered on the connection's event loop, and another call, which Hummingbird answers.
    @Test(arguments: lasts, tails.indices) func `is whole behind which nothing is read`(
        last: Last, tail: Int
    ) async throws {
        // More than a socket takes at once.
        let text = String(repeating: "0123456789abcdef", count: 1 << 16)
        try await LiveIngress.run { ingress in
            for path in [LiveIngress.path, "/embeddings"] {
                try await ingress.connect { client in
                    try await client.send(
                        Array(Self.post(path, version: last.version, headers: last.headers).utf8)
                            + Self.tails[tail].bytes)
                    try await ingress.forwarder.answer(next: 1) { _ in text }
                    try await expectWhole(client, last: last, text: text)
                }
            }
            #expect(try await ingress.queued() == 0, "what follows is not a request")
        }
    }

    /// The same where the bytes come only while the answer is waited for, and of pages that need no forwarder.
    @Test(arguments: lasts) func `is whole while the client goes on`(last: Last) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send(Self.post(LiveIngress.path, version: last.version, headers: last.headers))
                let taken = try await ingress.forwarder.take()
                for tail in Self.tails.dropLast() { try await client.send(tail.bytes) }
                try await ingress.forwarder.answer(taken, body: "answer")
                try await expectWhole(client, last: last, text: "answer")
            }
            for tail in Self.tails {
                try await ingress.connect { client in
                    let request = "GET /health HTTP/\(last.version)\r\nHost: g\r\n\(last.headers)\r\n"
                    _ = try? await client.send(Array(request.utf8) + tail.bytes)
                    let said = String(decoding: await client.untilClosed(), as: UTF8.self)
                    #expect(said.ranges(of: "HTTP/1.").count == 1 && said.contains(#""status":"healthy""#), "\(said)")
                    #expect(!client.wasReset, "\(tail.name)")
                }
            }
        }
    }

    /// One answer, which says that the connection closes, and the end.
    private func expectWhole(_ client: RawClient, last: Last, text: String) async throws {
        let said = String(decoding: await client.untilClosed(), as: UTF8.self)
        let parts = said.split(separator: "\r\n\r\n", maxSplits: 1)
        try #require(parts.count == 2, "\(said.prefix(300))")
        #expect(parts[0].hasPrefix("HTTP/\(last.version) 200 "), "\(parts[0])")
        #expect(parts[0].lowercased().contains("\r\nconnection: close"), "\(parts[0])")
        #expect(parts[1] == text, "\(parts[1].utf8.count) bytes")
        #expect(!client.wasReset)
    }

    /// What cannot be parsed costs the requests before it nothing: it is refused behind their answers.
    @Test(arguments: [
        "GARBAGE\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func `what cannot be parsed waits for its turn`(garbage: String) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                let health = "GET /health HTTP/1.1\r\nHost: g\r\n\r\n"
                try await client.send(Self.post(LiveIngress.path, version: "1.1", headers: "") + health + garbage)
                try await ingress.forwarder.answer(next: 1) { _ in "answer" }
                #expect(try await client.answer().text == "answer")
                #expect(try await client.answer().text.contains("healthy"))
                let refused = try await client.answer()
                #expect(refused.status == 400 && refused.error?.code == "malformed_request", "\(refused.text)")
                #expect(refused["connection"] == "close")
                #expect(await client.untilClosed().isEmpty && !client.wasReset)
            }
        }
    }

    /// A body that goes on for ever is not read for ever.
    @Test func `a client that never stops is cut off`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send("GET /health HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n")
                let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
                let began = ContinuousClock.now
                await #expect(throws: (any Error).self) {
                    while began.duration(to: .now) < .seconds(120) { try await client.send(piece) }
                }
            }
        }
    }
}
