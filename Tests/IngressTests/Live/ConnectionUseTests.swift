import Common
import TestSupport
import Testing

/// Many requests over one connection, and slow ones.
@Suite(.timeLimit(.minutes(5))) struct ConnectionUseTests {
    @Test func `a connection serves many requests`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                var ids: [String] = []
                for number in 0..<50 {
                    try await client.send("POST", LiveIngress.path, body: LiveIngress.body)
                    try await ingress.forwarder.answer(next: 1) { _ in "\(number)" }
                    let answer = try await client.answer()
                    #expect(answer.text == "\(number)")
                    ids.append(answer["x-insertion-id"] ?? "")
                }
                #expect(Set(ids).count == 50)
                #expect(ids == ids.sorted(), "ids sort by the time they were made")
            }
        }
    }

    @Test func `pipelined requests are answered in order`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                for number in 0..<20 {
                    try await client.send(
                        "POST", LiveIngress.path.replacing("row_id/7", with: "row_id/\(number)"), body: LiveIngress.body
                    )
                    try await client.send("GET", "/health")
                }
                async let answering: Void = ingress.forwarder.answer(next: 20) { $0.rollout?.row ?? "" }
                for number in 0..<20 {
                    #expect(try await client.answer().text == "\(number)")
                    #expect(try await client.answer().text.contains("healthy"))
                }
                try await answering
            }
        }
    }

    @Test func `a request may come byte by byte`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                let head = "POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
                for byte in head.utf8 { try await client.send([byte]) }
                for byte in LiveIngress.body.utf8 {
                    try await client.send(Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8))
                }
                try await client.send("0\r\n\r\n")
                try await ingress.forwarder.answer(next: 1) { String(decoding: $0.body, as: UTF8.self) }
                #expect(try await client.answer().text == LiveIngress.body)
            }
        }
    }

    @Test func `a client that asks first is told to go on`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send(
                    "POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: \(LiveIngress.body.utf8.count)\r\n\r\n"
                )
                #expect(try await client.head().status == 100)
                try await client.send(LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await client.answer().status == 200)
            }
        }
    }

    /// RFC 9110 §10.1.1: it would take the interim answer for its own.
    @Test func `a client of HTTP 1.0 is not told to go on`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send(
                    "POST \(LiveIngress.path) HTTP/1.0\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: \(LiveIngress.body.utf8.count)\r\n\r\n"
                )
                try await client.send(LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                let said = String(decoding: await client.untilClosed(), as: UTF8.self)
                #expect(said.hasPrefix("HTTP/1.0 200 OK\r\n"), "\(said)")
            }
        }
    }

    @Test(arguments: ["close", "Close", "keep-alive, CLOSE"])
    func `connection close ends the connection behind the answer`(
        options: String
    ) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send("GET", "/health", headers: ["Connection: \(options)"])
                #expect(try await client.answer().status == 200)
                #expect(await client.untilClosed().isEmpty)
            }
        }
    }

    /// Begins a request whose body is refused, and reads the refusal.
    private func beginRefused(_ client: RawClient) async throws {
        try await client.send(
            "POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\nContent-Length: 3000\r\n\r\n"
                + String(repeating: "x", count: 1000))
        #expect(try await client.answer().status == 413)
    }

    /// What is refused may be sent to its end for two seconds, not for ever; but who has done so is not cut off in the
    /// next request.
    @Test func `only who goes on sending what was refused is cut off`() async throws {
        try await LiveIngress.run({ $0.settings.http.maxBodyBytes = 2000 }) { ingress in
            try await ingress.connect { patient in
                try await beginRefused(patient)
                try await patient.send(String(repeating: "x", count: 2000))
                #expect(try await patient.call("GET", "/health").status == 200)
                let size = LiveIngress.body.utf8.count
                try await patient.send(
                    "POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\nContent-Length: \(size)\r\n\r\n"
                        + LiveIngress.body.dropLast())
                // This one is cut off two seconds after it was refused, which was later than the other.
                try await ingress.connect { slow in
                    try await beginRefused(slow)
                    #expect(await slow.untilClosed().isEmpty)
                }
                try await patient.send(String(LiveIngress.body.suffix(1)))
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await patient.answer().status == 200)
            }
        }
    }
}
