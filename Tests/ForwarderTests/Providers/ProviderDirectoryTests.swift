import Common
import Testing
import Upstream

@testable import Forwarder

@Suite struct ProviderDirectoryTests {
    @Test(arguments: [
        ("openai/gpt-4o", "https://api.openai.com/v1/chat/completions", "gpt-4o", "authorization", "Bearer k"),
        (
            "openrouter/anthropic/claude", "https://openrouter.ai/api/v1/chat/completions", "anthropic/claude",
            "authorization", "Bearer k"
        ),
        ("perplexity/sonar", "https://api.perplexity.ai/chat/completions", "sonar", "authorization", "Bearer k"),
        (
            "fireworks_ai/kimi", "https://api.fireworks.ai/inference/v1/chat/completions",
            "accounts/fireworks/models/kimi", "authorization",
            "Bearer k"
        ),
        ("anthropic/claude", "https://api.anthropic.com/v1/chat/completions", "claude", "authorization", "Bearer k"),
        (
            "gemini/gemini-2", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", "gemini-2",
            "authorization", "Bearer k"
        ),
        (
            "vertex_ai/gemini-2",
            "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/endpoints/openapi/chat/completions",
            "google/gemini-2", "authorization",
            "Bearer k"
        ),
        (
            "bedrock/nova", "https://bedrock-mantle.us-east-1.api.aws/v1/chat/completions", "nova", "authorization",
            "Bearer k"
        ),
        (
            "azure/my-deployment", "https://res.openai.azure.com/openai/v1/chat/completions", "my-deployment",
            "api-key", "k"
        ),
        (
            "cohere/command", "https://api.cohere.ai/compatibility/v1/chat/completions", "command", "authorization",
            "Bearer k"
        ),
        (
            "datarobot/m", "https://app.datarobot.com/api/v2/genai/llmgw/chat/completions/", "m", "authorization",
            "Bearer k"
        ),
        ("sarvam/m", "https://api.sarvam.ai/v1/chat/completions", "m", "api-subscription-key", "k"),
    ])
    func `calls go where the model says`(model: String, url: String, sent: String, header: String, value: String) throws
    {
        let directory = try ProviderDirectory.made(
            environment: ["AZURE_RESOURCE": "res", "VERTEXAI_LOCATION": "eu", "VERTEXAI_PROJECT": "p"])
        let target = try directory.resolve(.chat(model, key: "k"))
        #expect(target.request.url == url)
        #expect(target.model == sent)
        #expect(target.header(header) == value)
        #expect(target.bodyText == #"{"model":"\#(sent)","messages":[{"role":"user","content":"hi"}]}"#)
    }

    @Test(arguments: [
        (
            "OPENAI_API_BASE", "https://proxy.example/openai/", "openai/m",
            "https://proxy.example/openai/chat/completions"
        ),
        ("OLLAMA_API_BASE", "http://gpu:11434", "ollama/m", "http://gpu:11434/v1/chat/completions"),
        ("OLLAMA_API_BASE", "http://gpu:11434/v1", "ollama/m", "http://gpu:11434/v1/chat/completions"),
        (
            "AZURE_API_BASE", "https://r.openai.azure.com/", "azure/m",
            "https://r.openai.azure.com/openai/v1/chat/completions"
        ),
        ("HOSTED_VLLM_API_BASE", "http://gpu:8000/v1", "hosted_vllm/m", "http://gpu:8000/v1/chat/completions"),
    ])
    func `a variable moves a provider`(variable: String, value: String, model: String, url: String) throws {
        let target = try ProviderDirectory.made(environment: [variable: value]).resolve(.chat(model, key: "k"))
        #expect(target.request.url == url)
    }

    @Test func `accounts come before providers`() throws {
        let directory = try ProviderDirectory.made(
            accounts: [
                .server("http://gpu:8000/v1", named: "my-vllm"), .kind("azure", named: "openai", key: "azure-key"),
                .kind("openai", named: "other"),
            ],
            providerKeys: ["openai": "server-key"],
            settings: { _ in })
        let own = try directory.resolve(.chat("my-vllm/meta-llama/Llama-3"))
        #expect((own.provider, own.request.url) == ("my-vllm", "http://gpu:8000/v1/chat/completions"))
        #expect(own.model == "meta-llama/Llama-3")
        #expect(own.header("authorization") == nil)
        // `other` is the table's openai, not the account that took its name.
        let other = try directory.resolve(.chat("other/m"))
        #expect((other.provider, other.header("authorization")) == ("other", "Bearer server-key"))
        #expect(try failure { try directory.resolve(.chat("openai/m")) }.code == "provider_not_configured")
    }

    @Test(arguments: [
        ("opnai/gpt-4o", 400, "unknown_provider", "`openai/…`"),
        ("OpenAI/gpt-4o", 400, "unknown_provider", "`openai/…`"),
        ("my-vlm/x", 400, "unknown_provider", "`my-vllm/…`"),
        ("meta-llama/Llama-3", 400, "unknown_provider", "<provider>/<model>"),
        ("gpt-4o", 400, "missing_provider", "`<provider>/gpt-4o`"),
        ("gpt-4o", 400, "missing_provider", "`openai/<provider>/gpt-4o`"),
        ("litellm_proxy/openai/gpt-4o", 400, "provider_not_configured", "Leave it out: `openai/gpt-4o`."),
        ("litellm_proxy/gpt-4o", 400, "provider_not_configured", "Leave it out: `<provider>/gpt-4o`."),
        ("openai/", 400, "invalid_model", "openai/<model>"),
        ("replicate/x", 400, "unsupported_provider", "LITELLM_URL"),
        ("azure/x", 400, "provider_not_configured", "AZURE_API_BASE or AZURE_RESOURCE"),
        ("vllm/x", 400, "provider_not_configured", "base_url"),
        ("openai/gpt-4o", 401, "missing_provider_key", "OPENAI_API_KEY"),
        ("vertex_ai/g", 400, "provider_not_configured", "VERTEXAI_LOCATION"),
    ])
    func `errors say what was wrong and how to write it`(model: String, status: Int, code: String, word: String) throws
    {
        let directory = try ProviderDirectory.made(accounts: [
            .server("http://gpu:8000/v1", named: "my-vllm", key: "canary-account")
        ])
        let error = try failure { try directory.resolve(.chat(model)) }
        #expect((error.status, error.code) == (status, code))
        #expect(error.message.contains(word), "\(error.message)")
        #expect(!error.message.contains("canary"))
    }

    @Test(arguments: ["meta-llama/Llama-3", "claude-3"])
    func `no error sends a client to a company that it did not name`(model: String) throws {
        let error = try failure { try ProviderDirectory.made().resolve(.chat(model)) }
        for name in ["openai/\(model)", "openrouter", "gpt-"] {
            #expect(!error.message.contains(name), "\(error.message)")
        }
    }

    @Test func `a long model name is cut in errors`() throws {
        let error = try failure {
            try ProviderDirectory.made().resolve(.chat("nobody/" + String(repeating: "x", count: 100_000)))
        }
        #expect(error.message.count < 1000)
    }

    @Test func `the default provider takes what names none`() throws {
        let directory = try ProviderDirectory.made(
            environment: ["OPENAI_API_KEY": "server-key"], settings: { $0.backends.defaultProvider = "openai" })
        let bare = try directory.resolve(.chat("gpt-4o"))
        #expect(bare.request.url == "https://api.openai.com/v1/chat/completions")
        #expect(bare.bodyText == #"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#)
        let models = try directory.resolve(.chat(nil, path: "/models", method: "GET", query: "limit=2"))
        #expect((models.request.method, models.request.url) == ("GET", "https://api.openai.com/v1/models?limit=2"))
        #expect(models.header("authorization") == "Bearer server-key")
        #expect(models.header("content-type") == nil)
    }

    @Test func `without a default a call that names nothing has no backend`() throws {
        let error = try failure { try ProviderDirectory.made().resolve(.chat(nil, path: "/models", method: "GET")) }
        #expect((error.status, error.code) == (404, "no_backend"))
        #expect(error.message.contains("LITELLM_URL") && error.message.contains("DEFAULT_PROVIDER"))
    }

    @Test(arguments: [nil, "echo", "gpt-4o"] as [String?])
    func `with the mock as the default, every call that names no provider is the mock's`(model: String?) throws {
        let directory = try ProviderDirectory.made(settings: { $0.backends.defaultProvider = "mock" })
        #expect(try directory.resolve(.chat(model)).request.url == "mock:/chat/completions")
        #expect(try directory.resolve(.chat("openai/m", key: "k")).provider == "openai")
        #expect(try directory.resolve(.chat("m", key: "k", baseURL: "https://own.example")).provider == "client")
    }

    @Test(arguments: [
        "/../x", "/a/../b", "/a/%2e%2E/b", "/.", "/a/.", "//x", "/a//b", "/a%2fb", "/a%5Cb", "/a%0d%0aX", "/a b",
        "/a?b", "/a#b", "/a\\b", "a",
        "", "/ä", "/@\n",
        "/%00",
    ])
    func `a path never leaves its base`(path: String) throws {
        let directory = try ProviderDirectory.made(settings: { $0.backends.defaultProvider = "openai" })
        let error = try failure { try directory.resolve(.chat(nil, path: path, method: "GET", key: "k")) }
        #expect(error.code == "invalid_path")
    }

    @Test(arguments: ["a=b c", "a#b", "a\r\nX: y", "ä"])
    func `a query stays a query`(query: String) throws {
        let directory = try ProviderDirectory.made(settings: { $0.backends.defaultProvider = "openai" })
        #expect(
            try failure { try directory.resolve(.chat(nil, path: "/models", query: query, key: "k")) }.code
                == "invalid_path")
    }

    @Test(arguments: ["/models/ft:gpt-4o:org::id", "/files/a%20b", "/a/", "/a...b", "/v2/x@y"])
    func `unusual paths that are none of that pass`(path: String) throws {
        let directory = try ProviderDirectory.made(settings: { $0.backends.defaultProvider = "openai" })
        #expect(
            try directory.resolve(.chat(nil, path: path, method: "GET", key: "k")).request.url
                == "https://api.openai.com/v1\(path)")
    }

    @Test func `timeouts and limits come from the settings`() throws {
        let directory = try ProviderDirectory.made(settings: {
            $0.calls.connectTimeout = .seconds(1)
            $0.calls.idleTimeout = .seconds(2)
            $0.calls.requestTimeout = .seconds(3)
            $0.http.maxResponseBytes = 4
        })
        let request = try directory.resolve(.chat("openai/m", key: "k")).request
        #expect(request.timeouts == UpstreamTimeouts(connect: .seconds(1), idle: .seconds(2), total: .seconds(3)))
        #expect(request.limits.bodyBytes == 4)
    }

    @Test func `an account says how its connections are used`() throws {
        var own = try ProviderAccount.server("http://gpu:8000/v1", named: "own")
        (own.idleConnectionSeconds, own.repeatsOnClosedConnection) = (60, false)
        var openai = ProviderAccount.kind("openai", named: "openai")
        openai.idleConnectionSeconds = 0
        let directory = try ProviderDirectory.made(
            accounts: [own, openai], settings: { $0.calls.idleConnectionSeconds = 7 })
        for (model, url, seconds, repeats) in [
            ("own/m", nil, 60, false), ("openai/m", nil, 0, true), ("groq/m", nil, 7, true),
            ("m", "https://a.example/v1", 7, true),
        ] {
            let target = try directory.resolve(.chat(model, key: "k", baseURL: url))
            #expect(target.request.connections == ConnectionUse(idleSeconds: seconds), "\(model)")
            #expect(target.repeatsOnClosedConnection == repeats, "\(model)")
        }
        let proxied = try ProviderDirectory.made(settings: {
            $0.backends.litellmURL = BaseURL("http://litellm:4000")
            $0.calls.idleConnectionSeconds = 7
        }).resolve(.chat("openai/m", key: "k"))
        #expect(proxied.request.connections == ConnectionUse(idleSeconds: 7) && proxied.repeatsOnClosedConnection)
    }
}
