import Common
import FoundationEssentials
import Redis
import TestSupport
import Testing

/// A base URL of the client's own, and other ways to lead a call elsewhere: no key of the operator's goes there, and to
/// some places nothing does.
@Suite(.timeLimit(.minutes(5))) struct ClientURLTests {
    private static let secrets =
        "provider_keys:\n  openai: openai-canary-1\nlangfuse_keys:\n  main:\n    public_key: pk-lf-canary\n    secret_key: sk-lf-canary\n"
    private static let canaries = [
        HostileGateway.providerKey, "openai-canary", "pk-lf-canary", "sk-lf-canary",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ]
    private static let environment = [
        "GATEWAY_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "LANGFUSE_HOST": "embedded",
    ]

    private static func path(to url: String) -> String {
        let encoded = Data(url.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
        return ServeTests.path.replacing("/chat/", with: "/encoded_base_url/\(encoded)/chat/")
    }

    /// Runs a gateway and a second server, to which no call of the operator's goes.
    private func withStranger(
        environment changes: [String: String] = [:],
        _ script: @escaping @Sendable (ScriptedServer.Connection, String) async throws -> Void = { connection, _ in
            try await connection.closed()
        },
        _ body: (HostileGateway, _ stranger: ScriptedServer, _ asked: Recorder) async throws -> Void
    ) async throws {
        let asked = Recorder()
        try await ScriptedServer.run { connection in
            while let request = try await connection.request() {
                await asked.add(request)
                try await connection.write(HostileGateway.good)
            }
        } _: { stranger in
            try await HostileGateway.run(
                environment: Self.environment.merging(changes) { $1 }, secrets: Self.secrets, script
            ) { gateway in
                try await body(gateway, stranger, asked)
            }
        }
    }

    /// To a URL of the client's goes the client's key, and its request as it is: nothing of the gateway's.
    @Test func `a client's server gets the client's key alone`() async throws {
        try await withStranger { gateway, stranger, asked in
            for bearer in ["client-key-7", nil] {
                let body = #"{"model": "openai/gpt",  "metadata": {"n": 1.50}, "messages": []}"#
                let answer = try await withRawClient(to: gateway.port) {
                    try await $0.call(
                        "POST", Self.path(to: stranger.url("/v1")),
                        headers: bearer.map { ["Authorization: Bearer \($0)"] } ?? [], body: body)
                }
                #expect(answer.status == 200, "\(answer.text)")
                let request = await asked.everything
                #expect(request.hasPrefix("POST /v1/chat/completions HTTP/1.1\r\n"))
                #expect(request.contains("client-key-7") == (bearer != nil))
                #expect(bearer != nil || !request.lowercased().contains("authorization"))
                for secret in Self.canaries + [
                    "demo", "rollout", "insertion", "langfuse", answer["x-insertion-id"] ?? "-",
                ] {
                    #expect(!request.contains(secret), "\(secret) in \(request)")
                }
                await asked.forget()
            }
        }
    }

    /// Members that would lead a careless proxy elsewhere are data, or refused.
    @Test(arguments: [
        "api_base", "base_url", "user_config", "api_key_base", "litellm_params", "langfuse_host", "extra_headers",
        "model_list", "proxy",
    ])
    func `a member leads no call elsewhere`(member: String) async throws {
        let asked = Recorder()
        try await withStranger { connection, request in
            await asked.add(request)
            try await connection.write(HostileGateway.good)
        } _: { gateway, stranger, strangers in
            let url = stranger.url("/v1")
            for value in [#""\#(url)""#, #"{"api_base": "\#(url)", "base_url": "\#(url)"}"#] {
                let answer = try await withRawClient(to: gateway.port) {
                    try await $0.call(
                        "POST", "/chat/completions", body: HostileGateway.body(more: #", "\#(member)": \#(value)"#))
                }
                #expect([200, 400].contains(answer.status), "\(answer.text)")
            }
            #expect(stranger.accepted.value == 0)
            #expect(await strangers.requests.isEmpty)
            let sent = await asked.everything
            for canary in Self.canaries.dropFirst() { #expect(!sent.contains(canary)) }
        }
    }

    /// A redirection is an answer like any other: the client is told where it points, and the gateway does not go
    /// there.
    @Test func `a redirect is not followed`() async throws {
        let target = Recorder()
        try await withStranger { connection, request in
            let status = request.firstMatch(of: /"model": "(\d+)"/).map { String($0.1) } ?? "302"
            let location = await target.requests.last ?? ""
            try await connection.write(
                "HTTP/1.1 \(status) Elsewhere\r\nLocation: \(location)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        } _: { gateway, stranger, asked in
            for location in [stranger.url("/v1"), "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"] {
                await target.add(location)
                for status in [301, 302, 303, 307, 308] {
                    let answer = try await withRawClient(to: gateway.port) {
                        try await $0.call("POST", "/chat/completions", body: HostileGateway.body("hostile/\(status)"))
                    }
                    #expect(answer.status == status)
                    #expect(answer["location"] == location)
                }
            }
            #expect(stranger.accepted.value == 0)
        }
    }

    /// Each spelling of this machine, of a cloud's metadata service, of a private network, and what would break a
    /// request apart.
    @Test func `no spelling of a forbidden address is called`() async throws {
        try await withStranger(environment: ["ALLOW_LOOPBACK_BASE_URLS": "false"]) { gateway, stranger, _ in
            let port = stranger.port
            let urls = [
                "http://127.0.0.1:\(port)", "http://localhost:\(port)", "http://LOCALHOST:\(port)/v1",
                "http://localhost.:\(port)",
                "http://0:\(port)",
                "http://[::1]:\(port)", "http://[::ffff:127.0.0.1]:\(port)", "http://2130706433:\(port)",
                "http://0x7f.1:\(port)",
                "http://0177.0.0.1:\(port)", "http://127.1:\(port)", "http://[::ffff:169.254.169.254]",
                "http://169.254.169.254/latest",
                "http://100.64.0.1:\(port)", "http://[fd00::1]:\(port)", "http://user:pass@127.0.0.1:\(port)",
                "http://api.openai.com@127.0.0.1:\(port)",
                "http://127%2e0%2e0%2e1:\(port)", "http://127.0.0.1:\(port)/%2e%2e/", "ftp://127.0.0.1:\(port)",
                "file:///etc/passwd",
                "http://10.0.0.1", "http://192.168.1.1",
            ]
            for url in urls { try await expectRefused(url, gateway) }
            #expect(stranger.accepted.value == 0)
            #expect(
                try await withRedisClient(gateway.folder.redis) { try await $0.send(RedisCommand("SCARD", "demo")).int }
                    == 0)
        }
    }

    /// Where this machine may be called: the checks of form hold all the same, so nothing can become a second header or
    /// request.
    @Test func `no control character of a URL reaches a server`() async throws {
        try await withStranger { gateway, stranger, asked in
            let base = stranger.url("/v1")
            for tail in [
                "\r\nX-Evil: 1", "%0d%0aX-Evil:%201", "%0D%0A", "\nX", "\t", " HTTP/1.1\r\nX-Evil: 1\r\n\r\n", "\u{0}",
                "%00", "?x=\r\n", "#\r\n",
                "\u{85}", "\u{2028}",
            ] {
                try await expectRefused(base + tail, gateway)
            }
            for id in ["a%0d%0aX-Evil:%201", "a%0aX", "a%00", "a%2fb"] {
                let path = Self.path(to: base).replacing("row_id/1/", with: "row_id/\(id)/")
                let answer = try await withRawClient(to: gateway.port) {
                    try await $0.call("POST", path, body: HostileGateway.body("openai/x"))
                }
                #expect(answer.status == 400 && answer.error?.code == "invalid_path", "\(id)")
                #expect(!answer.headers.contains { $0.name.lowercased() == "x-evil" })
            }
            #expect(await asked.requests.isEmpty && stranger.accepted.value == 0)
        }
    }

    private func expectRefused(_ url: String, _ gateway: HostileGateway) async throws {
        let answer = try await withRawClient(to: gateway.port) {
            try await $0.call(
                "POST", Self.path(to: url), headers: ["Authorization: Bearer client-key-7"],
                body: HostileGateway.body("openai/x"))
        }
        #expect(answer.status == 400, "\(url): \(answer.status) \(answer.text)")
        #expect(
            ["invalid_base_url", "blocked_address", "invalid_path"].contains(answer.error?.code ?? ""),
            "\(url): \(answer.text)")
    }
}
