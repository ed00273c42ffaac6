import Common
import Testing
import Upstream

@testable import Forwarder

/// A client's key meets only the provider that its model names, wherever the model stands.
@Suite struct ModelPlaceTests {
    private static let form = HeaderField("Content-Type", "multipart/form-data; boundary=b")
    private static let urlencoded = HeaderField("Content-Type", "application/x-www-form-urlencoded")

    private static func multipart(_ fields: (String, String)...) -> String {
        fields.map { "--b\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n" }.joined() + "--b--\r\n"
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var method = "POST"
        var path = "/audio/transcriptions"
        var query: String?
        var header: HeaderField?
        var body = ""
        /// What the provider gets.
        var sent: String
    }

    private static let cases = [
        Case(
            testDescription: "multipart", header: form, body: multipart(("file", "RIFF"), ("model", "named/m")),
            sent: "/audio/transcriptions|" + multipart(("file", "RIFF"), ("model", "m"))),
        Case(
            testDescription: "multipart with a key", header: form,
            body: multipart(("api_key", "k"), ("model", "named/m")),
            sent: "/audio/transcriptions|" + multipart(("model", "m"))),
        Case(
            testDescription: "urlencoded", header: urlencoded, body: "model=named%2Fm&x=%20",
            sent: "/audio/transcriptions|model=m&x=%20"),
        Case(
            testDescription: "JSON as text", header: HeaderField("content-type", "text/plain"),
            body: #"{"model":"named/m"}"#,
            sent: #"/audio/transcriptions|{"model":"m"}"#),
        Case(
            testDescription: "JSON without a label", body: #" {"model":"named/m"}"#,
            sent: #"/audio/transcriptions| {"model":"m"}"#),
        Case(
            testDescription: "JSON as a form", header: form, body: #"{"model":"named/m"}"#,
            sent: #"/audio/transcriptions|{"model":"m"}"#),
        Case(
            testDescription: "Google's path", path: "/v1beta/models/named/m:generateContent", body: "{}",
            sent: "/v1beta/models/m:generateContent|{}"),
        Case(
            testDescription: "Google's path and body", path: "/v1beta/models/named/m:embedContent",
            body: #"{"model":"models/named/m"}"#,
            sent: #"/v1beta/models/m:embedContent|{"model":"m"}"#),
        Case(
            testDescription: "Azure's path", path: "/openai/deployments/named/m/embeddings", body: "{}",
            sent: "/openai/deployments/m/embeddings|{}"),
        Case(
            testDescription: "query", query: "a=b&model=named%2Fm", body: "RIFF",
            sent: "/audio/transcriptions?a=b&model=m|RIFF"),
        Case(testDescription: "look-up", method: "GET", path: "/models/named/m", sent: "/models/m|"),
    ]

    private func directory(key: String? = nil) throws -> ProviderDirectory {
        try .made(
            accounts: [
                .server("http://named.example/v1", named: "named"),
                .server("http://default.example/v1", named: "default", key: key),
            ],
            settings: { $0.backends.defaultProvider = "default" })
    }

    private func job(_ entry: Case, key: String? = "client") throws -> Job {
        try .chat(
            nil, body: entry.body, path: entry.path, method: entry.method, query: entry.query,
            headers: [entry.header].compactMap { $0 }, key: key)
    }

    /// The job's own model is nil, as a job of an earlier version's ingress has it.
    @Test(arguments: cases) func `the named provider gets key and bytes`(entry: Case) throws {
        let target = try directory(key: "canary").resolve(job(entry))
        #expect(target.provider == "named")
        #expect(target.request.url + "|" + target.bodyText == "http://named.example/v1" + entry.sent)
        #expect(target.header("authorization") == "Bearer client")
        #expect(!target.everything.contains("canary"))
    }

    @Test(
        arguments: [
            ("two fields", form, multipart(("model", "named/m"), ("model", "m"))),
            ("case", form, multipart(("MODEL", "named/m"))),
            ("broken form", form, "--b\r\nmodel"), ("byte order mark", nil, "\u{FEFF}{\"model\":\"named/m\"}"),
            ("no text", nil, #"{"model":["named/m"]}"#), ("nested", nil, #"{"session":{"model":"named/m"}}"#),
            ("batch", nil, #"[{"x":1},{"params":{"model":"named/m"}}]"#),
            ("nested known provider", nil, #"{"a":[{"model":"openai/m"}]}"#),
            ("stripped into a delimiter", form, multipart(("model", "named/--b--"))),
        ] as [(String, HeaderField?, String)])
    func `a model that cannot be read sends no key anywhere`(name: String, header: HeaderField?, body: String) throws {
        let job = try Job.chat(
            nil, body: body, path: "/audio/transcriptions", headers: [header].compactMap { $0 }, key: "k")
        #expect(try failure { try directory().resolve(job) }.status == 400, "\(name)")
    }

    @Test(arguments: [
        ("GET", "/models", ""), ("GET", "/models/meta-llama/Llama-3", ""),
        ("POST", "/files", multipart(("purpose", "batch"))),
        ("POST", "/batches", #"{"input_file_id":"f"}"#),
        ("POST", "/x", #"{"messages":[{"model":"default/m"},{"model":"gpt"},{"model":"unknown/m"}]}"#),
    ])
    func `what names no model goes to the default, as before`(method: String, path: String, body: String) throws {
        let target = try directory().resolve(
            .chat(nil, body: body, path: path, method: method, headers: [Self.form], key: "client"))
        #expect(target.request.url == "http://default.example/v1\(path)" && target.bodyText == body)
    }

    @Test(arguments: [
        (
            "/v1beta/models/gemini/g:generateContent", "{}",
            "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent",
            "x-goog-api-key"
        ),
        ("/messages", #"{"model":"anthropic/c"}"#, "https://api.anthropic.com/v1/messages", "x-api-key"),
        (
            "/openai/deployments/azure/d/embeddings", "{}",
            "https://r.openai.azure.com/openai/deployments/d/embeddings", "api-key"
        ),
        (
            "/embeddings", #"{"model":"gemini/g"}"#,
            "https://generativelanguage.googleapis.com/v1beta/openai/embeddings", "authorization"
        ),
    ])
    func `each provider's own API gets the key in its own header`(
        path: String, body: String, url: String, header: String
    ) throws {
        for key in ["client", nil] {
            let directory = try ProviderDirectory.made(
                environment: ["AZURE_RESOURCE": "r"],
                providerKeys: ["gemini": "server", "anthropic": "server", "azure": "server"])
            let target = try directory.resolve(.chat(nil, body: body, path: path, key: key))
            #expect(target.request.url == url)
            #expect(target.header(header)?.hasSuffix(key ?? "server") == true)
            #expect(target.request.headers.count { $0.value.contains(key ?? "server") } == 1)
        }
    }

    private func litellm(key: String? = "master") throws -> ProviderDirectory {
        try .made(settings: {
            $0.backends.litellmURL = BaseURL("http://litellm:4000")
            $0.backends.litellmAPIKey = key.map(SecretString.init)
        })
    }

    @Test(arguments: [
        (
            "multipart", form, multipart(("model", "named/m")),
            multipart(("model", "named/m"), ("api_key", "client"))
        ),
        (
            "multipart with one", form, multipart(("api_key", "x"), ("model", "named/m")),
            multipart(("api_key", "client"), ("model", "named/m"))
        ),
        ("urlencoded", urlencoded, "model=named%2Fm", "model=named%2Fm&api_key=client"),
        (
            "JSON as text", HeaderField("content-type", "text/plain"), #"{"model":"named/m"}"#,
            #"{"model":"named/m","api_key":"client"}"#
        ),
    ])
    func `LiteLLM gets the client's key where it looks for it`(
        name: String, header: HeaderField, body: String, sent: String
    ) throws {
        let target = try litellm().resolve(
            .chat(nil, body: body, path: "/audio/transcriptions", headers: [header], key: "client"))
        #expect(target.bodyText == sent, "\(name)")
        #expect(target.header("authorization") == "Bearer master")
    }

    @Test(arguments: ["", "RIFF", "[1]"])
    func `where LiteLLM would not find the client's key, the operator does not pay`(body: String) throws {
        let job = try Job.chat(nil, body: body, path: "/audio/transcriptions", query: "model=named%2Fm", key: "client")
        let error = try failure { try litellm().resolve(job) }
        #expect((error.status, error.code) == (400, "misplaced_api_key"))
        let keyless = try Job.chat(nil, body: body, path: "/audio/transcriptions", query: "model=named%2Fm")
        #expect(try litellm().resolve(keyless).header("authorization") == "Bearer master")
    }
}
