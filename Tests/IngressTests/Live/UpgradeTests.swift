import Common
import TestSupport
import Testing
import Upstream

/// Offers of another protocol, and tunnels: neither is taken up, and no connection dies of it.
@Suite(.timeLimit(.minutes(5))) struct UpgradeTests {
    @Test(arguments: [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n",
        "connection: keep-alive, UPGRADE\r\nupgrade: TLS/1.3, foo\r\n",
        "Upgrade: h2c\r\n",
    ])
    func `an offer is ignored`(offer: String) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                for _ in 0..<3 {
                    try await client.send("GET /health HTTP/1.1\r\nHost: g\r\n\(offer)\r\n")
                    #expect(try await client.answer().status == 200)
                }
                // Its body is read too, and what is pipelined behind it.
                let body = LiveIngress.body
                try await client.send(
                    "POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\n\(offer)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                        + "GET /health HTTP/1.1\r\nHost: g\r\n\r\n")
                let taken = try await ingress.forwarder.take()
                #expect(String(decoding: taken.job.body, as: UTF8.self) == body)
                #expect(
                    !taken.job.headers.contains {
                        ["upgrade", "http2-settings", "connection"].contains($0.name.lowercased())
                    })
                try await ingress.forwarder.finish(
                    taken,
                    with: ResponseFrame(
                        sequence: 0, head: UpstreamHead(status: 200, headers: []), body: Array("{}".utf8),
                        end: .complete))
                #expect(try await client.answer().text == "{}")
                #expect(try await client.answer().text.contains("healthy"))
            }
        }
    }

    /// A client of a realtime API is told at once, and no provider hears of it.
    @Test func `a websocket is refused`() async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            try await ingress.connect { client in
                for _ in 0..<2 {
                    try await client.send(
                        "GET /v1/realtime?model=gpt HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(answer.status == 501 && answer.error?.code == "websocket_unsupported")
                }
            }
            #expect(try await ingress.keys() == before)
        }
    }

    /// The path of a rollout is none of a websocket, and a handshake may lack its key.
    @Test(arguments: [
        LiveIngress.path, LiveIngress.path.replacing("chat/completions", with: "realtime"), "/rollout_id/r1/ws", "/ws",
        "/v1/chat/completions", "/project_id/sibling/realtime",
    ])
    func `a websocket is refused at any path`(path: String) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                for offer in ["Upgrade: websocket", "upgrade: h2c, WebSocket\r\nSec-WebSocket-Key: eA=="] {
                    try await client.send("GET \(path) HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\n\(offer)\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(answer.status == 501 && answer.error?.code == "websocket_unsupported", "\(answer.text)")
                }
            }
        }
    }

    /// HTTP/2 with prior knowledge: its preface gets an answer, in HTTP/1.1.
    @Test func `a preface of HTTP2 is answered`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}")
                let said = String(decoding: await client.untilClosed(), as: UTF8.self)
                #expect(said.hasPrefix("HTTP/1.1 400 ") && said.contains("malformed_request"), "\(said)")
            }
        }
    }

    @Test(arguments: [
        ("CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n", 405),
        ("CONNECT api.openai.com:443 HTTP/1.1\r\n\r\n", 400),
        ("CONNECT a:443 HTTP/1.0\r\n\r\n", 405),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 405),
    ])
    func `a tunnel is refused`(request: String, status: Int) async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            try await ingress.connect { client in
                try await client.send(request + "\u{16}\u{3}\u{1}GET /health HTTP/1.1\r\nHost: g\r\n\r\n")
                let said = String(decoding: await client.untilClosed(), as: UTF8.self)
                #expect(
                    said.contains(" \(status) ") && said.contains(#""type":"invalid_request_error""#)
                        && !said.contains("healthy"), "\(said)")
                #expect(said.lowercased().contains("x-insertion-id: "))
            }
            #expect(try await ingress.keys() == before)
        }
    }
}
