import Common
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Which models with a slash the default provider takes, and whose key meets it.
@Suite struct DefaultProviderTests {
    private static func directory(
        key: String? = nil, providerKeys: [String: String] = [:], default name: String = "lab"
    ) throws -> ProviderDirectory {
        try .made(
            accounts: [.server("http://lab:8000/v1", named: "lab", key: key)], providerKeys: providerKeys,
            settings: { $0.backends.defaultProvider = name })
    }

    private static let listed = ListedModels.known(["meta-llama/Llama-3", "openai/gpt-oss", "opnai/x"])

    @Test(arguments: ["meta-llama/Llama-3", "opnai/x"])
    func `a listed id goes there whole`(model: String) throws {
        let directory = try Self.directory()
        let target = try directory.resolve(.chat(model, key: "k"), isTraced: false, listed: Self.listed)
        #expect((target.provider, target.model) == ("lab", model))
        #expect(target.request.url == "http://lab:8000/v1/chat/completions" && target.bodyText.contains(model))
    }

    /// A key as a provider gives it out.
    private static let company = "sk-company-0123456789"

    /// The name of a known provider stays that one's where there is a key for it.
    @Test(
        arguments: [
            (company, [:], "openai", "Bearer \(company)"), (nil, ["openai": "server"], "openai", "Bearer server"),
            (nil, [:], "lab", "Bearer lab-key"),
        ] as [(String?, [String: String], String, String)])
    func `a known providers name`(
        key: String?, providerKeys: [String: String], provider: String, authorization: String
    ) throws {
        let directory = try Self.directory(key: "lab-key", providerKeys: providerKeys)
        let job = try Job.chat("openai/gpt-oss", key: key)
        #expect(
            (directory.listRequest(for: job) == nil) == (provider == "openai"), "no question where it decides nothing")
        let target = try directory.resolve(job, isTraced: false, listed: Self.listed)
        #expect((target.provider, target.header("authorization")) == (provider, authorization))
        #expect(target.model == (provider == "lab" ? "openai/gpt-oss" : "gpt-oss"))
    }

    /// A mistyped prefix does not lead the client's key, which is for another company, to the default provider.
    @Test(arguments: [
        ("opnai/gpt-4o", ListedModels.unknown, "`openai/…`"), ("OpenAI/gpt-4o", .unknown, "`openai/…`"),
        ("opnai/gpt-4o", listed, "`openai/…`"), ("meta-llama/Llama-4", listed, "`lab` does not list"),
        ("lba/m", .unknown, "`lab/…`"), ("moc/echo", .unknown, "`mock/…`"),
    ])
    func `a mistyped prefix is refused`(model: String, listed: ListedModels, word: String) throws {
        for path in ["/chat/completions", "/models/\(model)", "/models/\(model.replacing("/", with: "%2F"))"] {
            let isChat = path == "/chat/completions"
            let job = try Job.chat(
                isChat ? model : nil, path: path, method: isChat ? "POST" : "GET", key: "sk-company")
            let error = try failure {
                try Self.directory().resolve(job, isTraced: false, listed: listed)
            }
            #expect((error.status, error.code) == (400, "unknown_provider"), "\(path)")
            #expect(error.message.contains(word), "\(error.message)")
        }
    }

    /// A client of a server that asks for no key sends a placeholder, which is no reason to call another company.
    @Test(arguments: ["EMPTY", "dummy", "sk-no-key-required", "x"]) func `a placeholder is no key`(key: String) throws {
        let directory = try Self.directory()
        let job = try Job.chat("openai/gpt-oss", key: key)
        #expect(directory.listRequest(for: job) != nil)
        let target = try directory.resolve(job, isTraced: false, listed: Self.listed)
        #expect((target.provider, target.model) == ("lab", "openai/gpt-oss"))
        let other = try directory.resolve(.chat("openai/gpt-4o", key: key), isTraced: false, listed: Self.listed)
        #expect((other.provider, other.model) == ("openai", "gpt-4o"), "what is not listed is left to the provider")
    }

    @Test func `without a list a foreign name is refused`() throws {
        let job = try Job.chat("acme-research/m", key: "k")
        let error = try failure { try Self.directory().resolve(job, isTraced: false, listed: .unknown) }
        #expect(error.code == "unknown_provider" && error.message.contains("`lab` tells of no list"))
        #expect(try failure { try Self.directory().resolve(job) }.code == "unknown_provider", "a rule's target")
        let named = try Self.directory().resolve(.chat("lab/acme-research/m", key: "k"), isTraced: false)
        #expect((named.provider, named.model) == ("lab", "acme-research/m"))
    }

    @Test(
        arguments: [
            ("openai/m", company), ("lab/m", nil), ("m", nil), ("mock/echo", nil), (nil, "k"),
        ] as [(String?, String?)])
    func `nothing is asked where the name decides`(model: String?, key: String?) throws {
        #expect(try Self.directory().listRequest(for: .chat(model, key: key)) == nil)
    }

    @Test func `the question carries no key of the clients`() throws {
        let job = try Job.chat("a/b", headers: [HeaderField("openai-organization", "canary")], key: "canary")
        for (key, authorization) in [(nil, nil), ("lab-key", "Bearer lab-key")] as [(String?, String?)] {
            let (model, request) = try #require(Self.directory(key: key).listRequest(for: job))
            #expect(model == "a/b" && request.method == "GET" && request.url == "http://lab:8000/v1/models")
            #expect(request.headers.first(named: "authorization") == authorization)
            #expect(!request.headers.contains { $0.value.contains("canary") } && request.body.isEmpty)
        }
        let (_, request) = try #require(
            ProviderDirectory.made(settings: {
                $0.backends.defaultProvider = "openrouter"
                $0.backends.modelListTimeout = .seconds(3)
                $0.backends.modelListBytes = 70_000
            }).listRequest(for: job))
        #expect(request.url == "https://openrouter.ai/api/v1/models")
        #expect(request.timeouts.total == .seconds(3) && request.limits.bodyBytes == 70_000)
    }

    /// A list that could not be had says nothing for good.
    @Test(arguments: ["meta-llama/Llama-3", "opnai/gpt-4o"])
    func `where the list could not be had the call may be repeated`(model: String) throws {
        let job = try Job.chat(model, key: "k")
        let error = try failure { try Self.directory().resolve(job, isTraced: false, listed: .unavailable) }
        #expect(error.status == 503 && error.code == "model_list_unavailable" && error.shouldRetry == true)
        #expect(error.retryAfter != nil && error.message.contains(model))
    }

    /// A listed model is looked up by any name that can stand in a path.
    @Test(arguments: ["/models/a%20b%2Fc", "/models/a+b%2Fc", "/models/%C3%BC%2Fx", "/models/a%2Bb"])
    func `the operators key looks up any model`(path: String) throws {
        #expect(ServerKeyPolicy.isLent(try Job.chat(nil, path: path, method: "GET")))
    }

    @Test(arguments: ["/models/a%3Bb", "/models/a%253Fb", "/models/a%3Fb", "/models/a%23b", "/models/a%5Cb"])
    func `no look up leaves the model's name`(path: String) throws {
        #expect(!ServerKeyPolicy.isLent(try Job.chat(nil, path: path, method: "GET")))
    }

    /// OpenAI's SDK encodes the slashes of a model that it looks up.
    @Test(arguments: [
        ("/models/meta-llama%2FLlama-3", "http://lab:8000/v1/models/meta-llama%2FLlama-3"),
        ("/models/meta-llama/Llama-3", "http://lab:8000/v1/models/meta-llama/Llama-3"),
        ("/models/openai%2Fft:a", "https://api.openai.com/v1/models/ft:a"),
        ("/models/openrouter%2fanthropic%2Fclaude", "https://openrouter.ai/api/v1/models/anthropic%2Fclaude"),
    ])
    func `a look up`(path: String, url: String) throws {
        let job = try Job.chat(nil, path: path, method: "GET", key: "k")
        #expect(try Self.directory().resolve(job, isTraced: false, listed: Self.listed).request.url == url)
    }

    /// What is the mock's is not another's, whichever the default is.
    @Test(arguments: ["/models/mock%2Fecho", "/models/mock/echo"]) func `a look up of the mocks`(path: String) throws {
        let job = try Job.chat(nil, path: path, method: "GET", key: "k")
        for listed in [Self.listed, .unknown, nil] {
            let target = try Self.directory().resolve(job, isTraced: false, listed: listed)
            #expect(target.provider == "mock" && target.request.url == "mock:\(path)")
            #expect(target.request.headers.first(named: "authorization") == nil)
        }
    }

    @Test(arguments: [
        "/models/a%2F..%2Ffiles", "/models/..%2Ffiles", "/models/a%2F%2e%2E", "/models/%2Fa", "/models/a%2F%2Fb",
        "/files/a%2Fb", "/modelsa%2Fb",
    ])
    func `no look up leaves its folder`(path: String) throws {
        let job = try Job.chat(nil, path: path, method: "GET", key: "k")
        let error = try failure { try Self.directory().resolve(job, isTraced: false, listed: Self.listed) }
        #expect(error.code == "invalid_path")
    }
}
