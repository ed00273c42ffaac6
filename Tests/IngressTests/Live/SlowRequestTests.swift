import Common
import TestSupport
import Testing

/// Requests that come slowly, and connections that nothing is done for.
@Suite(.timeLimit(.minutes(5))) struct SlowRequestTests {
    private static let head = "POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\n"

    /// A head, a body of known length, one in chunks, the framing between two chunks, and a body for Hummingbird.
    static let beginnings = [
        "POST ", head, head + "Content-Length: 99\r\n\r\n{", head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        head + "Transfer-Encoding: chunked\r\n\r\n1;x=yyyyyyy",
        "POST /logs HTTP/1.1\r\nHost: g\r\nContent-Length: 9\r\n\r\n{",
    ]

    @Test(arguments: beginnings) func `what does not go on is refused`(beginning: String) async throws {
        try await LiveIngress.run({ $0.settings.http.clientReadTimeout = .milliseconds(300) }) { ingress in
            try await ingress.connect { client in
                try await client.send(beginning)
                try await expectRefusal(client)
            }
            #expect(try await ingress.queued() == 0)
        }
    }

    /// However often something comes.
    @Test func `a request has an end over all`() async throws {
        try await LiveIngress.run({ $0.settings.calls.requestTimeout = .milliseconds(700) }) { ingress in
            try await ingress.connect { client in
                try await client.send(Self.head + "Content-Length: 100000\r\n\r\n{")
                try await expectRefusal(client)
            }
        }
    }

    private func expectRefusal(_ client: RawClient) async throws {
        let answer = try await client.answer()
        #expect(answer.status == 408 && answer.error?.code == "request_too_slow", "\(answer.text)")
        #expect(answer["x-should-retry"] == "true" && answer["connection"] == "close")
        #expect(await client.untilClosed().isEmpty)
    }

    /// What was answered is answered, and the connection goes on.
    @Test func `a connection that stands idle is not slow`() async throws {
        try await LiveIngress.run({ $0.settings.http.clientReadTimeout = .milliseconds(100) }) { ingress in
            try await ingress.connect { client in
                _ = try await client.call("GET", "/health")
                try await ingress.connect { slow in
                    try await slow.send(Self.head)
                    try await expectRefusal(slow)
                }
                #expect(try await client.call("GET", "/health").status == 200)
            }
        }
    }

    /// More clients than there is room for, of whom none ever ends its request, do not keep another one out.
    @Test(arguments: ["", head, head + "Content-Length: 99\r\n\r\n{"])
    func `who drips gives way`(beginning: String) async throws {
        try await LiveIngress.run({ $0.settings.http.maxConnections = 32 }) { ingress in
            try await ingress.connect { waiting in
                try await waiting.send("POST", LiveIngress.path, body: LiveIngress.body)
                try await eventually { try await ingress.queued() == 1 }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<100 {
                        group.addTask {
                            try await ingress.connect { client in
                                try await client.send(beginning)
                                _ = await client.untilClosed()
                            }
                        }
                    }
                    // Each on a connection of its own.
                    for _ in 0..<20 {
                        let status = try await ingress.call("GET", "/health").status
                        #expect(status == 200)
                    }
                    group.cancelAll()
                }
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await waiting.answer().status == 200, "who waits for an answer stays")
            }
        }
    }
}
