import Common
import HTTPTypes
import Hummingbird
import Ingress
import TestSupport
import Testing
import Upstream

/// A page of another site whose name was made to lead here (DNS rebinding) reads nothing and starts nothing.
@Suite(.timeLimit(.minutes(5))) struct ForeignHostTests {
    private static let requests = [
        ("GET", "/health"), ("HEAD", "/health"), ("GET", "/ready"), ("GET", "/metrics"),
        ("GET", "/traces?tags=rollout_id:r"), ("GET", "/rollouts"),
        ("GET", "/rollouts/r"), ("GET", "/logs?rollout_id=r"), ("POST", "/logs"), ("GET", "/status?rollout_id=r"),
        ("GET", "/v1/models"),
        ("GET", "/jobs/01890a5d-ac96-774b-bcce-b302099a8057"), ("DELETE", "/jobs/01890a5d-ac96-774b-bcce-b302099a8057"),
        ("GET", "/motd"),
        ("POST", LiveIngress.path), ("GET", "/"), ("GET", "/%"), ("OPTIONS", LiveIngress.path), ("CONNECT", "a:1"),
    ]

    @Test(arguments: [
        ("", "evil.example"), ("", "evil.example:4000"), ("", "localhost.evil.example"), ("", "127.0.0.1.nip.io"),
        ("", "0.0.0.0"), ("", ""),
        ("http://evil.example", "localhost"), ("http://127.0.0.1.nip.io:4000", "127.0.0.1:4000"),
    ])
    func `a foreign host is refused`(origin: String, host: String) async throws {
        try await LiveIngress.run({
            $0.settings.http.allowedHosts = nil
            $0.extensions = Extensions { router in router.get("/motd") { _, _ in "canary" } }
        }) { ingress in
            let before = try await ingress.keys()
            for (method, target) in Self.requests where origin.isEmpty || method != "CONNECT" {
                let answer = try await ingress.connect { client in
                    let body = method == "POST" ? LiveIngress.body : ""
                    let headers = "Host: \(host)\r\nX-Forwarded-Host: localhost\r\nContent-Length: \(body.utf8.count)"
                    try await client.send("\(method) \(origin)\(target) HTTP/1.1\r\n\(headers)\r\n\r\n\(body)")
                    return try await client.answer(hasBody: method != "HEAD")
                }
                #expect(answer.status == 403, "\(method) \(target)")
                guard method != "HEAD" else { continue }
                #expect(
                    answer.error?.code == "foreign_host" && answer.text.contains("ALLOWED_HOSTS")
                        && !answer.text.contains("evil"))
            }
            #expect(try await ingress.keys() == before)
        }
    }

    @Test(arguments: [
        "GET /health HTTP/1.1\r\nHost: LOCALHOST:1", "GET /health HTTP/1.1\r\nHost: [::1]:4000", "GET /health HTTP/1.0",
        "GET http://127.0.0.1:4000/health HTTP/1.1\r\nHost: evil.example",
    ])
    func `this machines names are served`(head: String) async throws {
        try await LiveIngress.run({ $0.settings.http.allowedHosts = nil }) { ingress in
            try await ingress.connect { client in
                try await client.send(head + "\r\nConnection: close\r\n\r\n")
                #expect(String(decoding: await client.untilClosed(), as: UTF8.self).contains(" 200 "))
            }
        }
    }

    /// A connection on which one host was served serves no other.
    @Test func `each request of a connection is looked at`() async throws {
        try await LiveIngress.run({ $0.settings.http.allowedHosts = nil }) { ingress in
            try await ingress.connect { client in
                for host in ["localhost", "localhost", "evil.example", "localhost", "localhost.evil.example", ""] {
                    let head = "POST \(LiveIngress.path) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 2\r\n\r\n"
                    try await client.send(head + "{}")
                    let answer = try await client.answer()
                    // A body without a model is refused by the call itself.
                    #expect(answer.error?.code == (host == "localhost" ? "missing_model" : "foreign_host"), "\(host)")
                }
            }
        }
    }

    /// Where a key is asked for, a page has none.
    @Test func `where keys are asked for any name is served`() async throws {
        try await LiveIngress.run({ ($0.settings.http.allowedHosts, $0.auth) = (nil, APIKeyAuthTests.auth) }) {
            ingress in
            try await ingress.connect { client in
                try await client.send("GET /health HTTP/1.1\r\nHost: gateway.example\r\n\r\n")
                #expect(try await client.answer().status == 200)
            }
        }
    }

    /// What a provider answers is of the type that it names, and nothing of the gateway's to a browser.
    @Test func `answers are sandboxed`() async throws {
        try await LiveIngress.run({
            $0.extensions = Extensions { router in
                router.get("/page") { _, _ in
                    Response(status: .ok, headers: [.contentSecurityPolicy: "default-src 'self'"], body: .init())
                }
            }
        }) { ingress in
            for (method, target) in [("POST", LiveIngress.path), ("GET", "/v1/models"), ("GET", "/v1/files/f/content")]
            {
                async let reply = ingress.call(method, target, body: method == "POST" ? LiveIngress.body : "")
                let taken = try await ingress.forwarder.take()
                let headers = [
                    HeaderField("content-type", "text/html"), HeaderField("content-security-policy", "default-src *"),
                    HeaderField("x-content-type-options", "sniff"),
                ]
                try await ingress.forwarder.finish(
                    taken,
                    with: ResponseFrame(
                        sequence: 0, head: UpstreamHead(status: 200, headers: headers), body: Array("<script>".utf8),
                        end: .complete))
                expectSandboxed(try await reply, target)
            }
            for target in ["/health", "/jobs/01890a5d-ac96-774b-bcce-b302099a8057", "/%"] {
                expectSandboxed(try await ingress.call("GET", target), target)
            }
            // An operator's own page may do what the operator wants.
            #expect(try await ingress.call("GET", "/page")["content-security-policy"] == "default-src 'self'")
        }
    }

    private func expectSandboxed(_ answer: HTTPAnswer, _ target: String) {
        let policy = "sandbox; default-src 'none'; frame-ancestors 'none'"
        for (name, value) in [("x-content-type-options", "nosniff"), ("content-security-policy", policy)] {
            #expect(answer.headers.filter { $0.name.lowercased() == name }.map(\.value) == [value], "\(target)")
        }
    }
}
