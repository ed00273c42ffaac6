import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// What a call sends, and how it reads a good answer.
@Suite(.timeLimit(.minutes(5))) struct CurlUpstreamTests {
    @Test(arguments: ["GET", "DELETE", "OPTIONS"])
    func `a call without a body sends none`(method: String) async throws {
        let text = try await echoed(UpstreamRequest(method: method, url: "/a%20b?x=1"))
        #expect(text.hasPrefix("\(method) /a%20b?x=1 HTTP/1.1\r\n"))
        #expect(!text.lowercased().contains("content-length"))
        #expect(!text.lowercased().contains("accept: "))
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE", "GET"])
    func `a body goes out byte for byte`(method: String) async throws {
        let headers = [
            HeaderField("Content-Type", "application/json"), HeaderField("X-Empty", ""),
            HeaderField("Content-Length", "3"),
        ]
        let text = try await echoed(
            UpstreamRequest(method: method, url: "/", headers: headers, body: Array(#"{"a": 1}"#.utf8)))
        #expect(text.hasPrefix("\(method) / HTTP/1.1\r\n"))
        #expect(text.hasSuffix("\r\n\r\n" + #"{"a": 1}"#))
        #expect(text.contains("\r\nContent-Type: application/json\r\n"))
        #expect(text.contains("\r\nX-Empty:\r\n"))
        #expect(text.contains("\r\nContent-Length: 8\r\n"))
        #expect(!text.contains("Content-Length: 3"))
        #expect(!text.contains("Expect"))
    }

    @Test(arguments: ["POST", "PUT", "PATCH"])
    func `an empty body has a length of zero`(method: String) async throws {
        let text = try await echoed(UpstreamRequest(method: method, url: "/"))
        #expect(text.contains("\r\nContent-Length: 0\r\n"))
        #expect(!text.contains("Content-Type"))
    }

    @Test func `a large body arrives whole`() async throws {
        let body = (0..<1_000_000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        let text = try await echoed(UpstreamRequest(method: "POST", url: "/", body: body))
        #expect(text.hasSuffix("\r\n\r\n" + String(decoding: body, as: UTF8.self)))
    }

    @Test func `HEAD ends with its headers`() async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            try await connection.closed()
        } _: { upstream, server in
            let answer = try await upstream.answer(to: UpstreamRequest(method: "HEAD", url: server.url(), body: [1]))
            #expect(answer == Answer(status: 200, headers: [HeaderField("Content-Length", "5")], body: []))
        }
    }

    @Test func `headers keep their order, duplicates and spelling`() async throws {
        let head =
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            + "HTTP/1.1 418 Short And Stout\r\nA: 1\r\nb: 2 \r\na:3\r\nLatin: \u{e9}\r\nConnection: close\r\n\r\n"
        let bytes = head.unicodeScalars.map { UInt8($0.value) }
        let answer = try await answered(bytes + Array("body".utf8))
        #expect(answer.status == 418)
        #expect(
            answer.headers == [
                HeaderField("A", "1"), HeaderField("b", "2"), HeaderField("a", "3"), HeaderField("Latin", "\u{e9}"),
                HeaderField("Connection", "close"),
            ])
        #expect(answer.text == "body")
    }

    @Test func `chunks are joined and trailers dropped`() async throws {
        let answer = try await answered(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
        #expect(answer.text == "abcde")
        #expect(answer.headers.first(named: "X-Trailer") == nil)
    }

    @Test func `a compressed answer is decoded`() async throws {
        let answer = try await answered(
            Array("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(Self.gzip.count)\r\n\r\n".utf8)
                + Self.gzip)
        #expect(answer.text == String(repeating: "hello, compressed world! ", count: 8))
    }

    @Test(arguments: ["gzip", "deflate", "br", "zstd", "gzip, gzip", "utf-8", "none"])
    func `a wrong label of a plain answer is no failure`(label: String) async throws {
        let body = #"{"choices":[]}"#
        let answer = try await answered(
            "HTTP/1.1 200 OK\r\nContent-Encoding: \(label)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(answer.text == body)
    }

    @Test func `codings are asked for that are undone`() async throws {
        let text = try await echoed(UpstreamRequest(method: "GET", url: "/"))
        #expect(text.contains("\r\nAccept-Encoding: gzip, deflate"))
    }

    @Test(arguments: [301, 302, 307, 308])
    func `a redirect is an answer like any other`(status: Int) async throws {
        let answer = try await answered(
            "HTTP/1.1 \(status) Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        #expect(answer.status == status)
    }

    @Test func `a connection is kept for the next call`() async throws {
        try await withUpstream { connection in
            while try await connection.request() != nil {
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        } _: { upstream, server in
            for _ in 0..<5 {
                let answer = try await upstream.answer(to: server.url())
                #expect(answer.text == "ok")
            }
            #expect(server.accepted.value == 1)
            #expect(await upstream.inFlight == 0)
        }
    }

    @Test func `a piece is read before the next one is sent`() async throws {
        let seen = (0..<3).map { _ in TestSignal() }
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            for (index, signal) in seen.enumerated() {
                try await connection.write("data: \(index)\n\n")
                await signal.wait()
            }
        } _: { upstream, server in
            try await upstream.withCall(UpstreamRequest(method: "GET", url: server.url())) { call in
                let head = try await call.head()
                #expect(head.status == 200)
                for (index, signal) in seen.enumerated() {
                    #expect(try await call.next(minimum: 1) == Array("data: \(index)\n\n".utf8))
                    signal.send()
                }
                #expect(try await call.next(minimum: 1) == nil)
                #expect(try await call.next(minimum: 1) == nil)
            }
        }
    }

    @Test func `next waits for the minimum or the end`() async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            for _ in 0..<1_000 { try await connection.write([UInt8](repeating: 1, count: 1_000)) }
        } _: { upstream, server in
            try await upstream.withCall(UpstreamRequest(method: "GET", url: server.url())) { call in
                let first = try #require(try await call.next(minimum: 600_000))
                #expect(first.count >= 600_000)
                #expect(try await call.next(minimum: 600_000)?.count == 1_000_000 - first.count)
                #expect(try await call.next(minimum: 600_000) == nil)
            }
        }
    }

    @Test func `a thousand calls at a time`() async throws {
        try await withUpstream { connection in
            while try await connection.request() != nil {
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        } _: { upstream, server in
            let good = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<1_000 {
                    group.addTask {
                        try await upstream.answer(
                            to: UpstreamRequest(method: "POST", url: server.url(), body: [1, 2, 3])
                        ).text == "ok"
                    }
                }
                var good = 0
                for try await isGood in group where isGood { good += 1 }
                return good
            }
            #expect(good == 1_000)
            #expect(await upstream.inFlight == 0)
        }
    }
}

extension CurlUpstreamTests {
    private static let gzip: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 215, 81, 72, 206, 207, 45, 40, 74, 45,
        46, 78, 77, 81, 40, 207, 47, 202, 73, 81, 84, 200, 24, 90, 18, 0, 56, 41, 180, 189, 200, 0, 0, 0,
    ]

    /// The bytes of a request as a server sees them. The request's URL is a path.
    private func echoed(_ request: UpstreamRequest) async throws -> String {
        try await withUpstream { connection in
            guard let text = try await connection.request() else { return }
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
            try await connection.closed()
        } _: { upstream, server in
            var request = request
            request.url = server.url(request.url)
            return try await upstream.answer(to: request).text
        }
    }

    private func answered(_ bytes: [UInt8]) async throws -> Answer {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write(bytes)
        } _: { upstream, server in
            try await upstream.answer(to: server.url())
        }
    }

    private func answered(_ text: String) async throws -> Answer { try await answered(Array(text.utf8)) }
}
