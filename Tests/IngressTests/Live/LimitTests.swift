import Common
import InMemoryLogging
import Logging
import TestSupport
import Testing

/// The bounds of a request, and requests that are not HTTP. Each time the gateway says what was wrong, and lives.
@Suite(.timeLimit(.minutes(5))) struct LimitTests {
    /// Sends bytes, expects an error, and that the gateway goes on as before.
    private func expect(
        _ status: Int, code: String, to bytes: [UInt8], isClosed: Bool = true,
        change: (inout LiveIngress.Plan) -> Void = { _ in }
    ) async throws {
        try await LiveIngress.run(change) { ingress in
            try await ingress.connect { client in
                try await client.send(bytes)
                let answer = try await client.answer()
                #expect(answer.status == status)
                #expect(answer.error?.code == code, "\(answer.text)")
                #expect(answer["x-insertion-id"].flatMap { InsertionID($0) } != nil)
                #expect(answer["x-request-id"] == answer["x-insertion-id"])
                #expect(answer["x-content-type-options"] == "nosniff")
                #expect(answer["x-should-retry"] == "false")
                guard isClosed else { return }
                #expect(answer["connection"] == "close")
                #expect(await client.untilClosed().isEmpty, "one answer, then the end")
                #expect(!client.wasReset)
            }
            #expect(try await ingress.call("GET", "/health").status == 200)
            #expect(try await ingress.queued() == 0)
        }
    }

    private func request(_ headers: [String], target: String = LiveIngress.path) -> [UInt8] {
        Array((["POST \(target) HTTP/1.1", "Host: gateway"] + headers).joined(separator: "\r\n").utf8)
            + Array("\r\n\r\n".utf8)
    }

    @Test func `a body that says it is too large is not waited for`() async throws {
        try await expect(413, code: "body_too_large", to: request(["Content-Length: 1025"]), isClosed: false) {
            $0.settings.http.maxBodyBytes = 1024
        }
    }

    @Test func `a body that turns out too large is refused`() async throws {
        let chunk = "400\r\n" + String(repeating: " ", count: 1024) + "\r\n"
        let bytes = request(["Transfer-Encoding: chunked"]) + Array((chunk + "1\r\n \r\n").utf8)
        try await expect(413, code: "body_too_large", to: bytes, isClosed: false) {
            $0.settings.http.maxBodyBytes = 1024
        }
    }

    @Test func `a body of the largest size is taken`() async throws {
        try await LiveIngress.run({ $0.settings.http.maxBodyBytes = 1024 }) { ingress in
            let body = LiveIngress.body + String(repeating: " ", count: 1024 - LiveIngress.body.utf8.count)
            async let reply = ingress.call("POST", LiveIngress.path, body: body)
            try await ingress.forwarder.answer(next: 1) { "\($0.body.count)" }
            #expect(try await reply.text == "1024")
        }
    }

    /// Large bodies share a bound. One that is being sent keeps another one out, not a small one, until it is whole or
    /// its client has gone.
    @Test(arguments: [true, false]) func `large bodies share a bound`(ends: Bool) async throws {
        try await LiveIngress.run({
            ($0.settings.http.maxBodyBytes, $0.settings.http.uploadBytes) = (256 << 10, 256 << 10)
        }) {
            ingress in
            // Where there is room for it, it is refused for not being JSON.
            let other = String(repeating: " ", count: 150 << 10)
            let isFull = { try await ingress.call("POST", LiveIngress.path, body: other).status == 429 }
            #expect(try await !isFull())
            try await ingress.connect { client in
                try await client.send(
                    request(["Content-Length: \(200 << 10)"]) + Array(repeating: UInt8(ascii: " "), count: 150 << 10))
                // Not asked with another large body: the two would keep one another out.
                let held = "\ngateway_ingress_upload_bytes \(150 << 10)\n"
                try await eventually { try await ingress.call("GET", "/metrics").text.contains(held) }
                let refused = try await ingress.call("POST", LiveIngress.path, body: other)
                #expect(refused.error?.code == "uploads_full" && refused["retry-after"] == "1")
                try await passes(ingress)
                guard ends else { return try await client.close() }
                let rest = LiveIngress.body + String(repeating: " ", count: (50 << 10) - LiveIngress.body.utf8.count)
                try await client.send(rest)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await client.answer().status == 200)
            }
            try await eventually { try await !isFull() }
        }
    }

    private func passes(_ ingress: LiveIngress) async throws {
        async let small = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
        try await ingress.forwarder.answer(next: 1) { _ in "{}" }
        #expect(try await small.status == 200)
    }

    /// Those that wait for an answer stay, and the log says that others wait.
    @Test func `a connection too many waits until another closes`() async throws {
        let log = InMemoryLogHandler()
        try await LiveIngress.run({
            $0.settings.http.maxConnections = 2
            $0.logger = Logger(label: "test") { _ in log }
        }) { ingress in
            let ends = [TestSignal(), TestSignal()]
            async let first = call(
                ingress, method: "POST", target: LiveIngress.path, body: LiveIngress.body, staysUntil: ends[0])
            async let second = call(
                ingress, method: "POST", target: LiveIngress.path, body: LiveIngress.body, staysUntil: ends[1])
            try await eventually { try await ingress.queued() == 2 }
            async let health = call(ingress, method: "GET", target: "/health")
            try await eventually { log.entries.contains { "\($0.message)".contains("(MAX_CONNECTIONS) are in use") } }
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await health == 200, "the one that has its answer gives way")
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            for end in ends { end.send() }
            #expect(try await [first, second] == [200, 200])
        }
    }

    /// Calls on a connection of its own. One whose request has not come 50 ms after it was accepted may have to give
    /// way while all are open, which a busy machine brings about: the client then calls again.
    private func call(
        _ ingress: LiveIngress, method: String, target: String, body: String = "", staysUntil end: TestSignal? = nil
    ) async throws -> Int {
        while true {
            try Task.checkCancellation()
            let status = try? await ingress.connect { client in
                let status = try await client.call(method, target, body: body).status
                await end?.wait()
                return status
            }
            if let status { return status }
        }
    }

    @Test(arguments: [17, 1000, 70_000]) func `too many headers are refused`(count: Int) async throws {
        try await expect(431, code: "headers_too_large", to: request((0..<count).map { "x\($0):" })) {
            $0.settings.http.maxHeaders = 16
        }
    }

    @Test(arguments: [5000, 100_000, 10_000_000]) func `too large headers are refused`(size: Int) async throws {
        try await expect(431, code: "headers_too_large", to: request(["x: " + String(repeating: "a", count: size)])) {
            $0.settings.http.maxHeaderBytes = 4096
        }
    }

    @Test func `a too long target is refused`() async throws {
        let target = "/" + String(repeating: "a", count: 1_000_000)
        try await expect(431, code: "headers_too_large", to: request([], target: target)) {
            $0.settings.http.maxHeaderBytes = 4096
        }
    }

    static let malformed: [String] = [
        "GARBAGE\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "BREW /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nBad Header: x\r\n\r\n", "GET /health HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /health HTTP/1.1\r\nx: a\u{0}b\r\n\r\n",
        "POST /health HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /health HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /health HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /health HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST \(LiveIngress.path) HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST \(LiveIngress.path) HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}garbage\r\n0\r\n\r\n",
    ]

    @Test(arguments: malformed) func `what is not HTTP is refused`(text: String) async throws {
        try await expect(400, code: "malformed_request", to: Array(text.utf8))
    }
}
