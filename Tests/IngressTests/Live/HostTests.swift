import Common
import TestSupport
import Testing

/// What a request says of its host and its version.
@Suite(.timeLimit(.minutes(5))) struct HostTests {
    @Test(arguments: [
        "", "Host: a\r\nHost: b\r\n", "Host: a\r\nHost: a\r\n", "Host: /health\r\n", "Host: g/health?x=\r\n",
        "Host: user@g\r\n", "Host: a b\r\n",
        "Host: a#\r\n", "Host: g\\health\r\n", "Host: g\u{E9}\r\n", "host: a\r\nHOST: b\r\n",
    ])
    func `a request names its host once`(host: String) async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            for (method, target) in [
                ("GET", "/health"), ("POST", LiveIngress.path), ("POST", "http://g" + LiveIngress.path),
            ] {
                try await ingress.connect { client in
                    let body = method == "POST" ? LiveIngress.body : ""
                    let request =
                        "\(method) \(target) HTTP/1.1\r\n\(host)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    // What stands behind a refused request is not read.
                    try await client.send(request + "GET /health HTTP/1.1\r\nHost: g\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(
                        answer.status == 400 && answer.error?.code == "malformed_request", "\(target): \(answer.text)")
                    #expect(
                        answer["x-insertion-id"].flatMap { InsertionID($0) } != nil && answer["connection"] == "close")
                    #expect(await client.untilClosed().isEmpty)
                }
            }
            #expect(try await ingress.keys() == before)
        }
    }

    @Test(arguments: ["Host: g", "Host: 127.0.0.1:4000", "Host: [::1]:4000", "Host:"]) func `any host is taken`(
        host: String
    ) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                for _ in 0..<2 {
                    try await client.send("GET /health HTTP/1.1\r\n\(host)\r\n\r\n")
                    #expect(try await client.answer().status == 200)
                }
            }
        }
    }

    /// A client of HTTP/1.0 need not name a host, and knows no chunks: its answer ends with its connection.
    @Test(arguments: ["", "Host: g\r\n", "Connection: keep-alive\r\n"]) func `a client of HTTP10 is answered`(
        headers: String
    ) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send("GET /health HTTP/1.0\r\n\(headers)\r\n")
                let said = String(decoding: await client.untilClosed(), as: UTF8.self)
                #expect(said.hasPrefix("HTTP/1.0 200 OK\r\n") && said.hasSuffix("}"), "\(said)")
            }
            try await ingress.connect { client in
                let body = StreamingTests.streamBody
                try await client.send(
                    "POST \(LiveIngress.path) HTTP/1.0\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
                let taken = try await ingress.forwarder.take()
                try await ingress.forwarder.send(
                    ResponseFrame(sequence: 0, head: StreamingTests.events, body: StreamingTests.a), of: taken)
                try await ingress.forwarder.finish(
                    taken, with: ResponseFrame(sequence: 1, body: StreamingTests.b, end: .complete))
                let said = String(decoding: await client.untilClosed(), as: UTF8.self)
                #expect(said.hasPrefix("HTTP/1.0 200 OK\r\n"))
                #expect(
                    !said.lowercased().contains("chunked") && said.hasSuffix("\r\n\r\ndata: a\n\ndata: b\n\n"),
                    "\(said)")
            }
        }
    }
}
