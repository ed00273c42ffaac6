import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// What becomes of bad peers, bad requests and bounds.
@Suite(.timeLimit(.minutes(5))) struct CurlUpstreamFailureTests {
    private static let small = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"

    @Test(arguments: 0..<small.utf8.count)
    func `an answer that stops early is an error at every byte`(length: Int) async throws {
        let error = try await failure(of: Array(Self.small.utf8.prefix(length)))
        // A beginning that could be no status line is not HTTP at all.
        #expect(
            error?.code == .closedEarly || (error?.code == .malformed && length < 12),
            "\(length): \(String(describing: error))")
        #expect(error?.requestMayHaveBeenSent == true)
    }

    @Test func `bytes that came before the failure are read first`() async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        } _: { upstream, server in
            try await upstream.withCall(UpstreamRequest(method: "GET", url: server.url())) { call in
                let part = try await call.next(minimum: 50)
                #expect(part == Array("part".utf8))
                let error = await #expect(throws: UpstreamError.self) { try await call.next(minimum: 1) }
                #expect(error?.code == .closedEarly)
            }
        }
    }

    @Test(arguments: [
        "not http at all\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}", "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \u{0}\r\nContent-Length: 0\r\n\r\n",
    ])
    func `what is not HTTP is malformed`(text: String) async throws {
        let error = try await failure(of: Array(text.utf8))
        #expect(error?.code == .malformed, "\(text): \(String(describing: error))")
    }

    @Test func `a broken gzip is an error`() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n"
        let error = try await failure(of: Array(head.utf8) + [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xFF, 0xFF])
        #expect(error?.code == .malformed && error?.message.contains("decompressed") ?? false)
    }

    @Test func `a broken chunk is an error`() async throws {
        let error = try await failure(
            of: Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n".utf8))
        #expect(error?.code == .malformed)
    }

    @Test(arguments: [1 << 20, 70_000, 0])
    func `headers are bounded together and one by one`(length: Int) async throws {
        let line =
            length > 0
            ? "A: " + String(repeating: "a", count: length) + "\r\n" : String(repeating: "A: a\r\n", count: 20_000)
        let error = try await failure(of: Array("HTTP/1.1 200 OK\r\n\(line)Content-Length: 0\r\n\r\n".utf8))
        #expect(error?.code == .tooLarge)
        #expect(error?.requestMayHaveBeenSent == true)
    }

    @Test func `heads of 1xx without end are bounded`() async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            while true { try await connection.write("HTTP/1.1 102 Processing\r\n\r\n") }
        } _: { upstream, server in
            let error = try await upstream.failure(of: UpstreamRequest(method: "GET", url: server.url()))
            #expect(error?.code == .tooLarge)
        }
    }

    @Test(arguments: [(100, true), (99, false)])
    func `a body is bounded`(limit: Int, fits: Bool) async throws {
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".utf8) + [UInt8](repeating: 1, count: 100)
        let error = try await failure(of: bytes) { $0.limits.bodyBytes = limit }
        #expect(error?.code == (fits ? nil : .tooLarge))
    }

    @Test func `a compressed bomb is bounded by what it becomes`() async throws {
        let bytes =
            Array("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(GzipBomb.bytes.count)\r\n\r\n".utf8)
            + GzipBomb.bytes
        #expect(try await failure(of: bytes) { $0.limits.bodyBytes = GzipBomb.size } == nil)
        #expect(try await failure(of: bytes) { $0.limits.bodyBytes = GzipBomb.size - 1 }?.code == .tooLarge)
    }

    /// The bytes that are too many come while the peer is made to wait. libcurl keeps them, and says only once, when it
    /// hands them over, that they were refused.
    @Test(arguments: 1...8) func `a body that grows too large while its reader is slow ends at once`(
        pieces: Int
    ) async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
            while true { try await connection.write([UInt8](repeating: 1, count: 64 << 10)) }
        } _: { upstream, server in
            var request = UpstreamRequest(method: "GET", url: server.url())
            request.limits.bodyBytes = pieces * BodyBuffer.capacity
            (request.timeouts.total, request.timeouts.connect) = (.seconds(30), .seconds(30))
            let start = ContinuousClock.now
            try await upstream.withCall(request) { call in
                _ = try await call.head()
                let error = await #expect(throws: UpstreamError.self) {
                    // Other calls make the loop turn, and give the peer time to fill the system's buffers.
                    repeat {
                        for _ in 0..<20 { _ = try? await upstream.answer(to: "http://127.0.0.1:1/") }
                    } while try await call.next(minimum: BodyBuffer.capacity) != nil
                }
                #expect(error?.code == .tooLarge)
            }
            #expect(start.duration(to: .now) < .seconds(20), "it did not wait for its time to be over")
        }
    }

    @Test func `a peer waits for a reader who does not ask`() async throws {
        let (sent, sentMuch) = (Counter(), TestSignal())
        let total = 64 << 20
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let piece = [UInt8](repeating: 1, count: 64 << 10)
            for _ in 0..<(total / piece.count) {
                try await connection.write(piece)
                sent.add(piece.count)
            }
            sentMuch.send()
        } _: { upstream, server in
            try await upstream.withCall(UpstreamRequest(method: "GET", url: server.url())) { call in
                _ = try await call.head()
                // Other calls make the loop turn; the system's own buffers on loopback hold some megabytes.
                for _ in 0..<200 { _ = try? await upstream.answer(to: "http://127.0.0.1:1/") }
                #expect(sent.value < 32 << 20)
                #expect(try await call.rest().count == total)
            }
            await sentMuch.wait()
            #expect(sent.value == total)
        }
    }

    @Test(arguments: [
        ("ftp://127.0.0.1/", UpstreamError.Code.invalidURL), ("file:///etc/passwd", .invalidURL),
        ("http://a b/", .invalidURL), ("", .invalidURL),
        ("http://user:hunter2@127.0.0.1/", .invalidURL), ("http://127.0.0.1/#x", .invalidURL),
        ("http://127.0.0.1/\r\nX: y", .invalidURL),
        ("http://127.0.0.1:1/?key=hunter2", .connect), ("https://127.0.0.1:1/", .connect),
        ("http://no-such-host.invalid/", .resolve),
    ])
    func `nothing was sent when no connection stood`(url: String, code: UpstreamError.Code) async throws {
        let upstream = try CurlUpstream()
        upstream.start()
        defer { upstream.stop() }
        let error = try await upstream.failure(of: UpstreamRequest(method: "POST", url: url, body: [1]))
        #expect(error?.code == code)
        #expect(error?.requestMayHaveBeenSent == false)
        #expect(error?.message.contains("hunter2") == false)
        #expect(await upstream.inFlight == 0)
    }

    @Test(arguments: [
        ("GET X", [HeaderField]()), ("", []), ("GET", [HeaderField("A\r\nB", "c")]),
        ("GET", [HeaderField("A", "b\r\nC: d")]),
        ("GET", [HeaderField("", "b")]),
    ])
    func `nothing can become a second header`(method: String, headers: [HeaderField]) async throws {
        let upstream = try CurlUpstream()
        upstream.start()
        defer { upstream.stop() }
        let error = try await upstream.failure(
            of: UpstreamRequest(method: method, url: "http://127.0.0.1:1/", headers: headers))
        #expect(error?.code == .invalidURL)
    }

    @Test func `a peer that speaks no TLS is told apart`() async throws {
        try await withUpstream { connection in
            try await connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
        } _: { upstream, server in
            let error = try await upstream.failure(
                of: UpstreamRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/"))
            #expect(error?.code == .tls)
            #expect(error?.requestMayHaveBeenSent == false)
        }
    }

    @Test func `a kept connection that dies does not send a completion twice`() async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            // The second request is taken, and the connection closed without a word.
            _ = try await connection.request()
        } _: { upstream, server in
            let post = UpstreamRequest(method: "POST", url: server.url(), body: [1])
            #expect(try await upstream.answer(to: post).text == "ok")
            let error = try await upstream.failure(of: post)
            #expect(error?.code == .closedEarly)
            #expect(error?.requestMayHaveBeenSent == true)
            #expect(try await upstream.answer(to: server.url()).text == "ok")
            #expect(try await upstream.answer(to: server.url()).text == "ok")
        }
    }

    private func failure(
        of bytes: [UInt8], _ change: @Sendable (inout UpstreamRequest) -> Void = { _ in }
    ) async throws -> UpstreamError? {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write(bytes)
        } _: { upstream, server in
            var request = UpstreamRequest(method: "GET", url: server.url())
            change(&request)
            let error = try await upstream.failure(of: request)
            #expect(await upstream.inFlight == 0)
            return error
        }
    }
}
