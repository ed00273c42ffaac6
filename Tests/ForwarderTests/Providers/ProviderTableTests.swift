import Common
import Testing
import Upstream

@testable import Forwarder

@Suite struct ProviderTableTests {
    @Test func `the embedded table is read`() throws {
        let table = try ProviderTable.embedded()
        #expect(table.providers.count >= 120)
        #expect(table.providers.allSatisfy { $0.key.text == $0.value.prefix && !$0.key.text.contains("/") })
        #expect(table.unsupported.isDisjoint(with: table.providers.keys))
        #expect(table.unsupported.contains("replicate"))
        #expect(table.providers["openai"]?.keyVariables == ["OPENAI_API_KEY"])
        #expect(table.providers["cohere"]?.rejectedMembers == ["stream_options"])
        #expect(table.providers["azure"]?.keyHeader == .named("api-key"))
    }

    /// A header that is not known as one of a key would be dropped, and a rule could set it in the clear.
    @Test func `each provider's key header is known as one`() throws {
        for provider in try ProviderTable.embedded().providers.values {
            var names = provider.headers.filter { $0.value.contains("{key}") }.map(\.name)
            for case .named(let name)? in [provider.keyHeader, provider.nativeKeyHeader] { names.append(name) }
            for name in names {
                #expect(
                    ProviderKeyHeaders.contains(name), "\(provider.prefix): \(name) is missing in ProviderKeyHeaders")
            }
        }
    }

    @Test(arguments: try ProviderTable.embedded().providers.values.map(\.prefix).sorted())
    func `each provider has a URL, or a variable that gives one`(prefix: String) throws {
        let table = try ProviderTable.embedded()
        let provider = try #require(table.providers[prefix])
        var environment: [String: String] = [:]
        for variable in provider.url?.variables ?? [] { environment[variable] = "some-value" }
        if provider.url == nil, let variable = provider.baseVariables.first {
            environment[variable] = "https://own.example"
        }
        let directory = try ProviderDirectory(
            table: table, settings: Settings(role: .forwarder), secrets: .none, environment: environment)
        guard directory.endpoints[prefix]?.base != nil else {
            #expect(prefix == "vllm", "LiteLLM runs it within its own process")
            return
        }
        let target = try directory.resolve(.chat("\(prefix)/vendor/model", key: "client-key"))
        #expect(target.provider == prefix)
        let base = try #require(directory.endpoints[prefix]?.base)
        #expect(target.request.url == base.text + provider.chatPath)
        #expect(target.request.addresses == .operatorChosen)
        let header = if case .named(let name) = provider.keyHeader { name } else { "authorization" }
        #expect(target.header(header) == (provider.keyHeader == .bearer ? "Bearer client-key" : "client-key"))
        let model = try #require(target.model)
        #expect(model == "vendor/model" || model == "accounts/fireworks/models/vendor/model")
        #expect(target.bodyText == #"{"model":"\#(model)","messages":[{"role":"user","content":"hi"}]}"#)
    }

    @Test(arguments: [
        ("providers: {a: {urls: x}}", "1:17", "url"),
        ("providers:\n  a:\n    url: \"https://{X.example\"", "3:10", "brace"),
        ("providers:\n  a: {model: reverse}", "2:14", "fireworks"),
        ("providers:\n  a: {chat: no-slash}", "2:13", "path"),
        ("providers:\n  a: {keys: KEY}", "2:13", "list"),
        ("providers: [a]", "1:12", "mapping"),
        ("provider: {}", "1:1", "providers"),
        ("providers:\n  a: {key_optional: perhaps}\n  b: {key_optional: perhaps}", "3:21", "true or false"),
    ])
    func `malformed data names its place`(text: String, place: String, word: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ProviderTable(parsing: Array(text.utf8), file: "table.yaml")
        }
        #expect(error.description.contains("table.yaml:\(place): error:"), "\(error)")
        #expect(error.description.contains(word), "\(error)")
    }
}
