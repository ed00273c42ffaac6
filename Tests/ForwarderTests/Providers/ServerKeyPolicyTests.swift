import Common
import Testing

@testable import Forwarder

/// The operator's key opens models for the gateway's clients, and nothing else that it could open.
@Suite struct ServerKeyPolicyTests {
    private static let closed = [
        ("POST", "/key/generate"), ("GET", "/key/list"), ("GET", "/files"), ("DELETE", "/models/m"),
        ("DELETE", "/models/a%2Fb"),
        ("GET", "/models/a%2F..;%2Ffiles"),
        ("POST", "/models"), ("GET", "/batches/b"),
        ("GET", "/models/..;/files"), ("GET", "/models/%252e%252e/files"), ("POST", "/chat/completions/x"),
        ("GET", "/chat/completions"),
    ]
    private static let open = [
        ("POST", "/chat/completions"), ("POST", "/embeddings"), ("POST", "/responses"), ("GET", "/models"),
        ("GET", "/models/m"), ("HEAD", "/models"), ("GET", "/models/a%2Fb"), ("HEAD", "/models/a%2fb%2Fc"),
    ]

    private func litellm() throws -> ProviderDirectory {
        try .made(settings: {
            $0.backends.litellmURL = BaseURL("http://litellm:4000")
            $0.backends.litellmAPIKey = SecretString("master")
        })
    }

    private func direct() throws -> ProviderDirectory {
        try .made(
            accounts: [.server("http://vllm:8000/v1", named: "team", key: "canary")],
            settings: { $0.backends.defaultProvider = "team" })
    }

    @Test(arguments: closed)
    func `is refused elsewhere`(method: String, path: String) throws {
        for directory in [try litellm(), try direct()] {
            let error = try failure { try directory.resolve(.chat(nil, path: path, method: method)) }
            #expect(error.status == 403)
            #expect(error.code == "own_key_needed")
        }
    }

    @Test(arguments: open)
    func `goes with calls to models`(method: String, path: String) throws {
        #expect(
            try litellm().resolve(.chat(nil, path: path, method: method)).header("authorization") == "Bearer master")
        #expect(try direct().resolve(.chat(nil, path: path, method: method)).header("authorization") == "Bearer canary")
    }

    /// What the client has sent already is not asked for again.
    @Test(
        arguments: [
            (nil, nil, "as `Authorization: Bearer <key>`", "x-api-key"),
            (nil, "team-a", "in the header `x-api-key`", "Send a key of your own as"),
            ("own", nil, "`team` is always called with that key", "Send a key"),
            ("own", "team-a", "`team` is always called with that key", "Send a key"),
        ] as [(String?, String?, String, String)])
    func `the error asks for what is missing`(key: String?, account: String?, word: String, absent: String) throws {
        var job = try Job.chat(nil, path: "/files", method: "GET", key: key)
        job.account = account
        let error = try failure { try direct().resolve(job) }
        #expect(error.code == "own_key_needed")
        #expect(error.message.contains(word) && !error.message.contains(absent), "\(error.message)")
    }

    @Test func `a missing key is asked for where it may stand`() throws {
        var job = try Job.chat("openai/m")
        job.account = "team-a"
        let error = try failure { try ProviderDirectory.made().resolve(job) }
        #expect(error.code == "missing_provider_key" && error.message.contains("`x-api-key`"), "\(error.message)")
        #expect(!error.message.contains("as `Authorization: Bearer"), "\(error.message)")
    }

    @Test func `a key that no header can carry is said to be so`() throws {
        let error = try failure { try litellm().resolve(.chat(nil, path: "/files", method: "GET", key: "a b")) }
        #expect(error.code == "malformed_api_key")
    }

    @Test func `a client's own key speaks for itself elsewhere`() throws {
        let target = try litellm().resolve(.chat(nil, path: "/key/generate", key: "own"))
        #expect(target.header("authorization") == "Bearer own")
        #expect(!target.everything.contains("master"))
    }

    @Test func `a proxy without a key decides itself`() throws {
        let directory = try ProviderDirectory.made(settings: { $0.backends.litellmURL = BaseURL("http://litellm:4000") }
        )
        #expect(try directory.resolve(.chat(nil, path: "/key/generate")).header("authorization") == nil)
    }
}
