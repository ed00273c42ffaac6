import Common
import Testing
import Upstream

@testable import Forwarder

/// What of a client's request reaches a provider: its bytes, and the headers on the list.
@Suite struct RequestShapeTests {
    @Test(arguments: [
        (
            " {\n\t\"n\" : 1.0e+05 , \"model\":\"openai/m\",\"x\":[1,  2]}\n",
            " {\n\t\"n\" : 1.0e+05 , \"model\":\"m\",\"x\":[1,  2]}\n"
        ),
        (
            #"{"model":"openai\/m","big":123456789012345678901234567890}"#,
            #"{"model":"m","big":123456789012345678901234567890}"#
        ),
        (
            #"{"mod\u0065l":"openai/m","metadata":{"tags":["a"]},"api_base":"x"}"#,
            #"{"mod\u0065l":"m","metadata":{"tags":["a"]},"api_base":"x"}"#
        ),
        (#"{"api_key":null,"model":"openai/m","z":"é\u00e9"}"#, #"{"model":"m","z":"é\u00e9"}"#),
        (
            #"{"x":{"model":"openai/m","api_key":"k"},"model":"openai/m"}"#,
            #"{"x":{"model":"openai/m","api_key":"k"},"model":"m"}"#
        ),
    ])
    func `bodies keep every byte but the model's and the key's`(body: String, sent: String) throws {
        #expect(try ProviderDirectory.made().resolve(.chat("openai/m", body: body, key: "k")).bodyText == sent)
    }

    @Test func `a body that needs no change is the same`() throws {
        let body = " {\"model\" : \"m\" , \"n\":1e2} "
        let directory = try ProviderDirectory.made(settings: { $0.backends.defaultProvider = "openai" })
        #expect(try directory.resolve(.chat("m", body: body, key: "k")).bodyText == body)
    }

    @Test(arguments: ["", "--boundary\r\nmodel", "[1,2]", "\u{0}\u{1}", "model=openai%2Fm"])
    func `what holds no members passes as it is`(body: String) throws {
        let directory = try ProviderDirectory.made(settings: { $0.backends.defaultProvider = "openai" })
        let headers = [HeaderField("Content-Type", "audio/wav")]
        let target = try directory.resolve(
            .chat(nil, body: body, path: "/audio/transcriptions", headers: headers, key: "k"))
        #expect(target.bodyText == body)
        #expect(target.header("content-type") == "audio/wav")
    }

    @Test(arguments: [
        (#"{"model":"openai/m""#, "invalid_json"), (#"{"model":"openai/m","model":"x"}"#, "duplicate_key"),
        (#"{"model":"openai/m","x":[[[[[[[[1]]]]]]]]}"#, "json_too_deep"),
        (#"{"model":"openai/m","api_key":1}"#, "malformed_api_key"),
    ])
    func `a body that only begins like an object is refused`(body: String, code: String) throws {
        let directory = try ProviderDirectory.made(settings: { $0.http.maxJSONDepth = 8 })
        #expect(try failure { try directory.resolve(.chat("openai/m", body: body)) }.code == code)
    }

    private static let sent = [
        HeaderField("Content-Type", "application/json; charset=utf-8"), HeaderField("Accept", "text/event-stream"),
        HeaderField("OpenAI-Organization", "org"), HeaderField("OpenAI-Project", "proj"),
        HeaderField("OpenAI-Beta", "assistants=v2"),
        HeaderField("Anthropic-Version", "2023-06-01"), HeaderField("Idempotency-Key", "i"),
        HeaderField("User-Agent", "curl/8"),
        HeaderField("Authorization", "Bearer canary"), HeaderField("X-Api-Key", "canary"),
        HeaderField("Api-Key", "canary"),
        HeaderField("Traceparent", "canary"), HeaderField("Cookie", "canary"), HeaderField("X-Forwarded-For", "canary"),
        HeaderField("Forwarded", "canary"), HeaderField("Host", "canary"), HeaderField("Connection", "canary"),
        HeaderField("Transfer-Encoding", "canary"), HeaderField("Accept-Encoding", "canary"),
        HeaderField("X-Stainless-Arch", "canary"),
        HeaderField("X-TFY-Metadata", "canary"), HeaderField("Metadata-Flavor", "canary"),
        HeaderField("Anthropic-Beta", "canary\r\nx: y"),
    ]

    @Test func `only listed headers go on`() throws {
        let target = try ProviderDirectory.made().resolve(.chat("openai/m", headers: Self.sent, key: "k"))
        #expect(
            Set(target.request.headers.map { $0.name.lowercased() }) == [
                "user-agent", "content-type", "accept", "openai-organization", "openai-project", "openai-beta",
                "anthropic-version",
                "idempotency-key",
                "authorization",
            ])
        #expect(!target.everything.contains("canary"))
        #expect(target.header("user-agent") == "metadata-gateway")
        #expect(target.request.headers.count { $0.name.lowercased() == "content-type" } == 1)
    }

    @Test func `the server's key pays for no organisation of the clients choice`() throws {
        let target = try ProviderDirectory.made(providerKeys: ["openai": "s"]).resolve(
            .chat("openai/m", headers: Self.sent))
        #expect(target.header("openai-organization") == nil && target.header("openai-project") == nil)
        #expect(target.header("openai-beta") == "assistants=v2")
    }

    @Test func `json without a label gets one`() throws {
        #expect(
            try ProviderDirectory.made().resolve(.chat("openai/m", key: "k")).header("content-type")
                == "application/json")
    }

    @Test(arguments: [
        ("openai/m", "m"), ("fireworks_ai/accounts/f/models/x", "accounts/f/models/x"),
        ("meta-llama/m", "meta-llama/m"), ("m", "m"),
        ("mine/m", "mine/m"),
    ])
    func `a known provider's prefix means nothing to a client's own server; other names are kept`(
        model: String, sent: String
    ) throws {
        let directory = try ProviderDirectory.made(accounts: [.server("http://gpu", named: "mine")])
        let target = try directory.resolve(.chat(model, key: "k", baseURL: "https://own.example/v1/"))
        #expect(target.bodyText == #"{"model":"\#(sent)","messages":[{"role":"user","content":"hi"}]}"#)
        #expect((target.provider, target.request.url) == ("client", "https://own.example/v1/chat/completions"))
    }

    @Test(arguments: ["ftp://x", "https://u:p@x", "https://x/a?b", "not a url", "mock:/chat/completions"])
    func `a client's URL is looked at again`(url: String) throws {
        #expect(
            try failure { try ProviderDirectory.made().resolve(.chat("openai/m", key: "k", baseURL: url)) }.code
                == "invalid_base_url")
    }
}
