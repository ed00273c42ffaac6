import Common
import Testing

@testable import Forwarder

@Suite struct ProviderDirectoryBuildTests {
    @Test func `all problems are reported together`() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ProviderDirectory.made(
                environment: [
                    "OPENAI_BASE_URL": "ftp://canary", "GROQ_API_KEY": "canary\nkey", "AZURE_RESOURCE": "evil.example/",
                ],
                accounts: [.kind("opnai", named: "a"), .server("http://gpu", named: "mock")],
                providerKeys: ["grok": "canary"],
                settings: { $0.backends.defaultProvider = "opnai" })
        }
        for expected in [
            "environment: OPENAI_BASE_URL: error:", "environment: GROQ_API_KEY: error:", "AZURE_RESOURCE",
            "account `a`: there is no provider `opnai`",
            "did you mean `openai`", "cannot be named `mock`", "provider_keys: there is no provider `grok`",
            "environment: DEFAULT_PROVIDER: error:",
        ] {
            #expect(error.description.contains(expected), "\(error)")
        }
        #expect(!error.description.contains("canary"))
    }

    @Test func `embedded traces cannot be LiteLLMs`() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ProviderDirectory.made(settings: {
                $0.backends.litellmURL = BaseURL("http://litellm:4000")
                $0.backends.litellmTraces = true
                $0.backends.langfuse = .embedded
            })
        }
        #expect(error.description.contains("LITELLM_TRACES"))
    }

    @Test func `an empty variable is unset`() throws {
        let directory = try ProviderDirectory.made(environment: ["OPENAI_API_BASE": "", "OPENAI_API_KEY": ""])
        #expect(try failure { try directory.resolve(.chat("openai/m")) }.code == "missing_provider_key")
    }

    @Test func `the first set variable holds the key`() throws {
        let directory = try ProviderDirectory.made(environment: [
            "FIREWORKS_AI_TOKEN": "last", "FIREWORKSAI_API_KEY": "third",
        ])
        #expect(try directory.resolve(.chat("fireworks_ai/m")).header("authorization") == "Bearer third")
    }
}
