import Common
import Crypto
import HTTPTypes
import TestSupport
import Testing

@testable import Ingress

struct APIKeyAuthTests {
    static func entry(_ id: String, key: String, projects: Account.Projects) -> APIKeyAuth.Entry {
        APIKeyAuth.Entry(
            id: id, digest: Array(SHA256.hash(data: Array(key.utf8))),
            account: Account(id: "account-\(id)", projects: projects))
    }

    /// Two keys that share their first 24 characters, as a cache by prefix would mix up, and one for all projects.
    static let shared = "sk-0123456789abcdef01234"
    static let auth = APIKeyAuth(entries: [
        entry("a", key: shared + "-a", projects: .only(["main"])),
        entry("b", key: shared + "-b", projects: .only(["sibling"])),
        entry("all", key: "sk-all", projects: .all),
    ])

    private func authenticate(_ bearer: String?) async throws -> Account? {
        try await Self.auth.authenticate(AuthRequest(bearer: bearer, method: .post, path: "/chat/completions"))
    }

    @Test(arguments: [("-a", "account-a"), ("-b", "account-b")]) func `keys with one prefix are two keys`(
        end: String, account: String
    ) async throws {
        #expect(try await authenticate(Self.shared + end)?.id == account)
    }

    @Test(arguments: [
        shared, shared + "-", shared + "-A", shared + "-a ", shared + "-aa", "sk-al", "x", "account-a", "'; --",
        "\u{0}",
        String(repeating: "k", count: 65536),
    ])
    func `any other key is refused without being repeated`(key: String) async throws {
        let error = await #expect(throws: GatewayError.self) { try await authenticate(key) }
        #expect(error?.status == 401 && error?.code == "invalid_api_key")
        #expect(key.count < 3 || error?.message.contains(key) == false)
    }

    /// The digest in the file is not a key.
    @Test func `the digest itself opens nothing`() async throws {
        let hex = SHA256.hash(data: Array("sk-all".utf8)).map { String(Int($0) + 0x100, radix: 16).dropFirst() }
            .joined()
        await #expect(throws: GatewayError.self) { try await authenticate(hex) }
    }

    @Test(arguments: [nil, ""]) func `no key is asked for`(key: String?) async throws {
        let error = await #expect(throws: GatewayError.self) { try await authenticate(key) }
        #expect(error?.code == "missing_api_key" && error?.message.contains("Authorization: Bearer") == true)
    }
}

/// Keys over HTTP: which project a key opens, and that the decision is on the path that is served.
@Suite(.timeLimit(.minutes(5))) struct APIKeyEntranceTests {
    private static let keyA = "Authorization: Bearer " + APIKeyAuthTests.shared + "-a"

    @Test func `a key opens its project only and never travels`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            async let reply = ingress.call(
                "POST", "/project_id/main" + LiveIngress.path, headers: [Self.keyA], body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.account == "account-a")
            #expect(taken.job.clientKey == nil, "a key of the gateway is not a provider's business")
            #expect(!taken.job.headers.contains { $0.value.contains(APIKeyAuthTests.shared) })
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }

    /// Ways to another project than the key's. A foreign project and one that is not there look alike.
    @Test(arguments: [
        "/project_id/sibling", "/v1/project_id/sibling", "/project_id/sibling/v1", "http://gateway/project_id/sibling",
        "http://main/project_id/sibling",
        "/project_id/%73ibling", "/project_id/nobody",
    ])
    func `a key does not open another project`(prefix: String) async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            for path in [LiveIngress.path, "/chat/completions", "/models"] {
                let answer = try await ingress.call(
                    "POST", prefix + path, headers: [Self.keyA, "X-Project-Id: main"], body: LiveIngress.body)
                #expect(answer.status == 404 && answer.error?.code == "unknown_project")
                #expect(answer.error?.message.contains("sibling") == false)
            }
            #expect(try await ingress.queued() == 0)
        }
    }

    /// Targets that a careless router reads in two ways: none of them gets past the authenticator, whatever they end
    /// at.
    @Test(arguments: [
        "//health/../chat/completions", "/health/../chat/completions", "/health%2f..%2fchat/completions",
        "/health;/chat/completions",
        "/ready/chat/completions", "http://gateway/health/x", "http://gateway@evil/chat/completions",
        "/chat/completions?/health",
        "/chat/completions/", "http:/chat/completions", "/health//", "/v1/v1/health", "/HEALTH",
    ])
    func `no spelling of a target avoids the key`(target: String) async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let answer = try await ingress.call(
                "POST", target, headers: ["X-Forwarded-Host: health", "X-Original-URL: /health"], body: LiveIngress.body
            )
            #expect([400, 401].contains(answer.status), "\(answer.status) \(answer.text)")
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test(arguments: ["Host: /health", "Host: gateway/health?x=", "Host: evil.example", "Host:", "Host: a\r\nHost: b"])
    func `the host decides nothing`(host: String) async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            try await ingress.connect { client in
                try await client.send("POST \(LiveIngress.path) HTTP/1.1\r\n\(host)\r\nContent-Length: 2\r\n\r\n{}")
                #expect([400, 401].contains(try await client.answer().status))
            }
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test(arguments: [
        "Bearer", "Bearer ", "Basic c2stYWxsOg==", "sk-all", "Bearersk-all", "Bearer sk-all, Bearer sk-all",
        "Bearer \"sk-all\"",
    ])
    func `only a bearer token is a key`(value: String) async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let answer = try await ingress.call(
                "POST", LiveIngress.path, headers: ["Authorization: \(value)"], body: LiveIngress.body)
            #expect(answer.status == 401)
        }
    }

    @Test(arguments: ["Bearer sk-all", "bearer sk-all", "BEARER   sk-all"]) func `a bearer token is read in each form`(
        value: String
    ) async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            async let reply = ingress.call(
                "POST", "/project_id/sibling" + LiveIngress.path, headers: ["Authorization: \(value)"],
                body: LiveIngress.body)
            try await ingress.forwarder.answer(next: 1) { $0.account ?? "nobody" }
            #expect(try await reply.text == "account-all")
        }
    }

    /// An error of the provider's own says nothing of itself.
    @Test func `an auth provider that fails lets no client in`() async throws {
        struct Broken: AuthProvider {
            struct Failure: Error { var secret = "database-password" }
            var consumesBearer: Bool { true }
            func authenticate(_ request: AuthRequest) async throws -> Account? { throw Failure() }
        }
        try await LiveIngress.run({ $0.auth = Broken() }) { ingress in
            let answer = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            #expect(answer.status == 401 && answer.error?.code == "authentication_failed")
            #expect(!answer.text.contains("database-password"))
        }
    }
}
