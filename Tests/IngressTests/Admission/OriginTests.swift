import Common
import TestSupport
import Testing

/// Where the gateway serves its own machine alone and asks nobody for a key, the browser of whoever works there must
/// not let other sites' pages in.
@Suite(.timeLimit(.minutes(5))) struct OriginTests {
    @Test(arguments: [
        "http://evil.example", "null", "http://127.0.0.1.evil.example", "https://localhost.evil.example:4000",
    ])
    func `a page of another site is kept out`(origin: String) async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            let answer = try await ingress.call(
                "POST", LiveIngress.path, headers: ["Origin: \(origin)"], body: LiveIngress.body)
            #expect(answer.status == 403 && answer.error?.code == "foreign_origin")
            #expect(try await ingress.keys() == before)
        }
    }

    @Test(arguments: ["http://localhost:3000", "http://127.0.0.1:4000", "http://[::1]"])
    func `a page of this machine is let in`(origin: String) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, headers: ["Origin: \(origin)"], body: LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await client.answer().status == 200)
            }
        }
    }

    private static func preflight(_ origin: String) -> [String] {
        [
            "Origin: \(origin)", "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: authorization,content-type,x-stainless-os",
        ]
    }

    /// A browser asks before it calls, without a key, and shows the page only what it is told to.
    @Test(arguments: [
        (false, "", "http://localhost:3000"), (false, "https://app.example", "http://[::1]:8080"),
        (true, "https://app.example, http://other.example:81", "https://app.example"),
        (true, "https://app.example:443", "https://app.example"), (true, "https://APP.example", "https://app.example"),
        (true, "chrome-extension://abcdef", "chrome-extension://abcdef"), (true, "*", "null"),
        (true, "http://localhost:3000", "http://localhost:3000"),
    ])
    func `a browser is told who may call`(hasKeys: Bool, allowed: String, origin: String) async throws {
        let origins = allowed.isEmpty ? .none : try #require(AllowedOrigins(allowed))
        try await LiveIngress.run({
            $0.settings.http.allowedOrigins = origins
            if hasKeys { $0.auth = APIKeyAuthTests.auth }
        }) { ingress in
            let asked = try await ingress.call("OPTIONS", LiveIngress.path, headers: Self.preflight(origin))
            #expect(asked.status == 204 && asked["access-control-allow-origin"] == origin)
            #expect(asked["access-control-allow-methods"] == "POST" && asked["vary"] == "Origin")
            #expect(asked["access-control-allow-headers"] == "authorization,content-type,x-stainless-os")
            #expect(asked["access-control-allow-private-network"] == nil)
            // An error of the fast way, one of the other way, and a page, on one connection.
            try await ingress.connect { client in
                for (method, path) in [("POST", LiveIngress.path), ("POST", "/logs"), ("GET", "/health")] {
                    let answer = try await client.call(method, path, headers: ["Origin: \(origin)"], body: "{")
                    #expect(answer["access-control-allow-origin"] == origin && answer["vary"] == "Origin")
                    #expect(answer["access-control-expose-headers"]?.contains("x-insertion-id") == true)
                    #expect(try await client.call(method, path, body: "{")["access-control-allow-origin"] == nil)
                }
            }
        }
    }

    @Test(arguments: [
        (false, "https://app.example", "https://evil.example"), (true, "https://app.example", "http://app.example"),
        (true, "https://app.example", "https://app.example:8443"), (true, "https://app.example", "http://localhost"),
        (true, "https://app.example", "null"), (false, "https://app.example", "https://app.example.evil.example"),
    ])
    func `a page that is not let in is told nothing`(hasKeys: Bool, allowed: String, origin: String) async throws {
        let origins = try #require(AllowedOrigins(allowed))
        try await LiveIngress.run({
            $0.settings.http.allowedOrigins = origins
            if hasKeys { $0.auth = APIKeyAuthTests.auth }
        }) { ingress in
            let asked = try await ingress.call("OPTIONS", LiveIngress.path, headers: Self.preflight(origin))
            #expect(asked.status == 403 && asked.error?.code == "foreign_origin")
            #expect(asked.text.contains("ALLOWED_ORIGINS") && asked["access-control-allow-origin"] == nil)
            let answer = try await ingress.call("GET", "/health", headers: ["Origin: \(origin)"])
            #expect(answer["access-control-allow-origin"] == nil)
        }
    }

    /// The 403's advice is true: what `Origin` says, put into ALLOWED_ORIGINS, is let in.
    @Test func `an origin that is named is let in`() async throws {
        let origins = try #require(AllowedOrigins("https://app.example"))
        try await LiveIngress.run({ $0.settings.http.allowedOrigins = origins }) { ingress in
            try await ingress.connect { client in
                let headers = ["Origin: https://app.example"]
                try await client.send("POST", LiveIngress.path, headers: headers, body: LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                let answer = try await client.answer()
                #expect(answer.status == 200 && answer["access-control-allow-origin"] == "https://app.example")
            }
        }
    }

    @Test(arguments: ["app.example", "https://app.example/path", "", "https://", "://x", "https://a,b c"])
    func `what is no origin is refused`(text: String) { #expect(AllowedOrigins(text) == nil) }

    /// Who must show a key has one, whatever page sends it.
    @Test func `with keys the origin decides nothing`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let answer = try await ingress.call(
                "POST", LiveIngress.path, headers: ["Origin: http://evil.example"], body: LiveIngress.body)
            #expect(answer.status == 401)
        }
    }
}
