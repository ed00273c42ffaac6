import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPServing

/// An offer of another protocol is ignored (RFC 9110 §7.8): the connection goes on.
@Suite(.timeLimit(.minutes(5))) struct RequestDecoderTests {
    /// Headers that offer something, or look like it.
    static let offers: [(name: String, headers: String)] = [
        (
            "h2c as the JDK and Apache say it",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
        ),
        (
            "WebSocket",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n"
        ),
        ("TLS", "Upgrade: TLS/1.0\r\nConnection: upgrade\r\n"),
        ("several", "Upgrade: h2c, websocket, IRC/6.9\r\nConnection: keep-alive, Upgrade\r\n"),
        ("several headers", "Upgrade: h2c\r\nUpgrade: foo\r\nConnection: keep-alive\r\nConnection: upgrade\r\n"),
        ("an unknown one in capitals", "UPGRADE: X\r\nCONNECTION: UPGRADE\r\n"),
        ("no name", "Upgrade:\r\nConnection: upgrade\r\n"),
        ("Upgrade alone", "Upgrade: h2c\r\n"),
        ("Connection alone", "Connection: Upgrade\r\n"),
        ("another option", "Upgrade: h2c\r\nConnection: x-upgrade, upgraded\r\n"),
        ("blanks and empty members", "Upgrade: h2c\r\nConnection: , upgrade ,\r\n"),
        ("nothing", ""),
    ]

    static let bodies: [(name: String, method: String, framing: String, body: String, text: String)] = [
        ("no body", "GET", "", "", ""),
        ("an empty body", "POST", "Content-Length: 0\r\n", "", ""),
        ("a body", "POST", "Content-Length: 9\r\n", "{\"a\":\r\n1}", "{\"a\":\r\n1}"),
        (
            "a body like a request", "POST", "Content-Length: 21\r\n", "\r\n\r\nGET /x HTTP/1.1\r\n",
            "\r\n\r\nGET /x HTTP/1.1\r\n"
        ),
        ("chunks", "POST", "Transfer-Encoding: chunked\r\n", "6\r\n\r\n\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "\r\n\r\nabc"),
        ("chunks and a trailer", "PUT", "Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\nX-T: y\r\n\r\n", "a"),
    ]

    @Test(arguments: offers.indices, bodies.indices) func `the connection goes on`(offer: Int, body: Int) throws {
        let (name, offer) = Self.offers[offer]
        let (kind, method, framing, body, text) = Self.bodies[body]
        let request = "\(method) /offer HTTP/1.1\r\nHost: g\r\n\(offer)\(framing)\r\n\(body)"
        // Offered twice, before and after requests that offer nothing.
        let bytes = Array(
            ("GET /first HTTP/1.1\r\nHost: g\r\n\r\n" + request + request
                + "POST /last HTTP/1.1\r\nContent-Length: 2\r\n\r\nok").utf8)
        let offered = "\(method) /offer \(text)."
        for pieces in DecodedRequests.allPieces(of: bytes) {
            let decoded = try DecodedRequests(pieces)
            #expect(decoded.error == nil, "\(name), \(kind)")
            #expect(decoded.lines == ["GET /first .", offered, offered, "POST /last ok."], "\(name), \(kind)")
        }
    }

    /// What a client sends into a tunnel that there is not, or behind its last request, is neither read nor kept.
    @Test(arguments: [
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", "CONNECT a.example:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 3\r\n\r\n",
        "CONNECT [::1]:443 HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        "GET /last HTTP/1.1\r\nUpgrade: h2c\r\nConnection: close, upgrade\r\n\r\n",
        "GET /last HTTP/1.0\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        "GET /last HTTP/1.1\r\nConnection: close\r\n\r\n", "GET /last HTTP/1.1\r\nCONNECTION: x, Close\r\n\r\n",
        "POST /last HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "POST /last HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: y\r\n\r\n",
        "GET /last HTTP/1.0\r\n\r\n", "GET /last HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ])
    func `what follows the last request is dropped`(request: String) throws {
        let line = try DecodedRequests([Array(request.utf8)[...]]).lines
        #expect(line.count == 1)
        let hello = Array("\u{16}\u{3}\u{1} GET /x HTTP/1.1\r\n\r\n".utf8)
        for pieces in DecodedRequests.allPieces(of: Array(request.utf8) + hello) {
            let decoded = try DecodedRequests(
                pieces + Array(repeating: [UInt8](repeating: 0x61, count: 1000)[...], count: 10))
            #expect(decoded.error == nil && decoded.lines == line)
        }
    }

    /// Nothing is kept of what follows a request that cannot be parsed, and the error holds none of it.
    @Test(arguments: [
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nXYZ\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "GET / HTTP/9.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nNONSENSE\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\u{3}\u{3}",
        "GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 2000))\r\n\r\n",
    ])
    func `what follows an error is dropped`(request: String) throws {
        for pieces in DecodedRequests.allPieces(of: Array(request.utf8)) {
            let decoded = try DecodedRequests(pieces + Array(repeating: Array("sk-canary".utf8)[...], count: 100))
            #expect(decoded.error is HTTPParserError)
        }
    }
}
