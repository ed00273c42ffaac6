import TestSupport
import Testing

/// The store answers nothing to a page whose name was made to lead here (DNS rebinding).
@Suite(.timeLimit(.minutes(5))) struct ForeignHostTests {
    @Test(arguments: [
        ("GET /api/public/health", "evil.example"), ("GET http://evil.example/api/public/health", "localhost"),
        ("GET /api/public/traces", "localhost.evil.example"),
        ("POST /api/public/otel/v1/traces", "127.0.0.1.nip.io:4001"), ("GET /", "store"), ("CONNECT a:1", ""),
    ])
    func `a foreign host is refused`(request: String, host: String) async throws {
        try await LiveStore.run { store in
            try await withRawClient(to: store.port) { client in
                try await client.send(
                    "\(request) HTTP/1.1\r\nHost: \(host)\r\nAuthorization: \(LiveStore.authorization("main"))\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.status == 403 && answer.text.contains("ALLOWED_HOSTS"))
            }
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1:4001", "[::1]:4001", "LOCALHOST."]) func `this machines names are served`(
        host: String
    ) async throws {
        try await LiveStore.run { store in
            try await withRawClient(to: store.port) { client in
                try await client.send("GET /api/public/health HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                #expect(try await client.answer().status == 200)
            }
        }
    }
}
