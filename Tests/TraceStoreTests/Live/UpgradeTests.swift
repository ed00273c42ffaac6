internal import Common
import TestSupport
import Testing

/// Offers of another protocol, and tunnels: neither is taken up, and no connection dies of it.
@Suite(.timeLimit(.minutes(5))) struct UpgradeTests {
    @Test(arguments: [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n",
        "connection: UPGRADE\r\nupgrade: websocket\r\n",
        "Upgrade: TLS/1.0, h2c\r\nConnection: keep-alive, upgrade\r\n", "Upgrade: h2c\r\n",
    ])
    func `an offer is ignored`(offer: String) async throws {
        try await LiveStore.run { store in
            try await withRawClient(to: store.port) { client in
                for _ in 0..<3 {
                    try await client.send("GET /api/public/health HTTP/1.1\r\nHost: localhost\r\n\(offer)\r\n")
                    #expect(try await client.answer().status == 200)
                }
                let export =
                    "POST /api/public/otel/v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\(offer)"
                    + "Authorization: \(LiveStore.authorization("main"))\r\nContent-Length: 20\r\n\r\n{\"resourceSpans\":[]}"
                try await client.send(export + export)
                #expect(try await client.answer().status == 200)
                #expect(try await client.answer().status == 200)
            }
        }
    }

    @Test func `a tunnel is refused`() async throws {
        try await LiveStore.run { store in
            try await withRawClient(to: store.port) { client in
                try await client.send("CONNECT a:443 HTTP/1.1\r\nHost: localhost\r\n\r\n\u{16}\u{3}\u{1}")
                #expect(String(decoding: await client.untilClosed(), as: UTF8.self).hasPrefix("HTTP/1.1 405 "))
            }
        }
    }
}
