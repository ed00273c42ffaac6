import Common
import Testing
import Upstream

@testable import Forwarder

/// A server's key goes to the origin that it was configured for and nowhere else, whatever a client sends.
@Suite struct ServerKeyTests {
    /// A key for every variable of the table, each telling the variable.
    private static func canaries(_ table: ProviderTable) -> [String: String] {
        var environment: [String: String] = [:]
        for variable in table.providers.values.flatMap(\.keyVariables) { environment[variable] = "canary-\(variable)" }
        return environment
    }

    @Test func `no key reaches another provider's origin`() throws {
        let table = try ProviderTable.embedded()
        var environment = Self.canaries(table)
        environment["AZURE_RESOURCE"] = "res"
        let directory = try ProviderDirectory(
            table: table, settings: Settings(role: .forwarder), secrets: .none, environment: environment)
        for provider in table.providers.values
        where directory.endpoints[provider.prefix]?.base != nil && !provider.keyVariables.isEmpty {
            let text = try directory.resolve(.chat("\(provider.prefix)/m")).everything
            let expected = "canary-\(provider.keyVariables[0])"
            #expect(text.contains(expected))
            #expect(!text.replacing(expected, with: "").contains("canary"), "\(provider.prefix)")
        }
    }

    @Test(arguments: ["OPENAI_BASE_URL", "DASHSCOPE_API_BASE"])
    func `a moved provider keeps its key from the others that share the variable`(moved: String) throws {
        let table = try ProviderTable.embedded()
        var environment = Self.canaries(table)
        environment[moved] = "https://moved.example/v1"
        let directory = try ProviderDirectory(
            table: table, settings: Settings(role: .forwarder), secrets: .none, environment: environment)
        let variables = table.providers.values.filter { $0.baseVariables.contains(moved) }.flatMap(\.keyVariables)
        for provider in table.providers.values where !Set(provider.keyVariables).isDisjoint(with: variables) {
            guard let text = try? directory.resolve(.chat("\(provider.prefix)/m")).everything else { continue }
            let isMoved = text.hasPrefix("https://moved.example/")
            for variable in variables { #expect(isMoved || !text.contains("canary-\(variable)"), "\(provider.prefix)") }
        }
        #expect(
            try directory.resolve(.chat("\(moved == "OPENAI_BASE_URL" ? "openai" : "dashscope")/m")).everything
                .contains("canary"))
    }

    @Test(arguments: [
        "https://api.openai.com.evil.example/v1", "https://evil.example/api.openai.com/v1",
        "http://api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://xapi.openai.com/v1", "https://api.openai.com/v1", "http://gpu.example:8000/v1",
    ])
    func `no server key goes to a client's own URL, also not when it resembles the right one`(url: String) throws {
        let table = try ProviderTable.embedded()
        let directory = try ProviderDirectory.made(
            environment: Self.canaries(table),
            accounts: [.server("http://gpu.example:8000/v1", named: "mine", key: "canary-account")],
            providerKeys: ["openai": "canary-secrets"],
            projects: [
                Project(
                    name: "local",
                    langfuse: LangfuseKeys(publicKey: SecretString("canary-pk"), secretKey: SecretString("canary-sk")))
            ],
            settings: {
                $0.backends.litellmURL = BaseURL("http://litellm:4000")
                $0.backends.litellmAPIKey = SecretString("canary-litellm")
                $0.backends.litellmTraces = true
                $0.backends.defaultProvider = "openai"
            })
        for model in ["openai/m", "mine/m", "m", "fireworks_ai/m"] {
            for key in [nil, "client-key"] {
                let target = try directory.resolve(.chat(model, key: key, baseURL: url))
                #expect(target.request.url == "\(url)/chat/completions")
                #expect(!target.everything.contains("canary"))
                #expect(target.header("authorization") == key.map { "Bearer \($0)" })
                #expect(target.request.addresses == .clientChosen(allowLoopback: false, allowPrivate: false))
            }
        }
    }

    @Test(arguments: [
        ("https://a.example/v1", true), ("https://a.example:443/other", true), ("https://A.example", true),
        ("http://a.example/v1", false),
        ("https://a.example:8443/v1", false), ("https://a.example.evil", false), ("https://xa.example", false),
    ])
    func `a key is bound to scheme, host and port together`(url: String, isSame: Bool) throws {
        let key = BoundKey(SecretString("k"), for: try #require(BaseURL("https://a.example/v1")))
        #expect((key.secret(for: try #require(BaseURL(url))) != nil) == isSame)
    }

    @Test func `an account's own key is the only one it carries`() throws {
        let directory = try ProviderDirectory.made(accounts: [.kind("openai", named: "team", key: "account-key")])
        let target = try directory.resolve(
            .chat("team/m", body: #"{"model":"team/m","api_key":"body-key"}"#, key: "client-key"))
        #expect(target.header("authorization") == "Bearer account-key")
        #expect(target.bodyText == #"{"model":"m"}"#)
        #expect(!target.everything.contains("client-key"))
    }

    @Test(
        arguments: [
            ("header-key", "body-key", "header-key"), (nil, "body-key", "body-key"), ("header-key", nil, "header-key"),
            (nil, nil, "server-key"),
            (nil, "", "server-key"),
        ] as [(String?, String?, String)])
    func `the client's key comes before the server's`(header: String?, body: String?, used: String) throws {
        let directory = try ProviderDirectory.made(providerKeys: ["openai": "server-key"])
        let text = body.map { #"{"api_key":"\#($0)","model":"openai/m"}"# } ?? #"{"model":"openai/m"}"#
        let target = try directory.resolve(.chat("openai/m", body: text, key: header))
        #expect(target.header("authorization") == "Bearer \(used)")
        #expect(target.bodyText == #"{"model":"m"}"#)
    }

    @Test(arguments: [#"a\r\nx-evil: 1"#, "a b", "ä", #"a\u0000"#])
    func `a key that no header can carry is refused`(key: String) throws {
        let directory = try ProviderDirectory.made()
        let error = try failure {
            try directory.resolve(.chat("openai/m", body: #"{"model":"openai/m","api_key":"\#(key)"}"#))
        }
        #expect((error.status, error.code) == (400, "malformed_api_key"))
    }

    @Test func `secrets go before the environment`() throws {
        let directory = try ProviderDirectory.made(
            environment: ["OPENAI_API_KEY": "environment"], providerKeys: ["openai": "file"])
        #expect(try directory.resolve(.chat("openai/m")).header("authorization") == "Bearer file")
    }

    @Test func `a target prints without its key`() throws {
        let target = try ProviderDirectory.made(providerKeys: ["openai": "canary"]).resolve(.chat("openai/m"))
        #expect("\(target)" == "Target(openai, m)")
    }
}
