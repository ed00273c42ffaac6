import Common
import Testing
import Upstream

@testable import Forwarder

@Suite struct LiteLLMBackendTests {
    private static let rollout = RolloutIDs(rollout: "r", invocation: "i", experiment: "e", run: "u", row: "a,b")
    private static let tags =
        #""rollout_id:r","insertion_id:0198f3a0-0000-7000-8000-000000000001","invocation_id:i","experiment_id:e","run_id:u","row_id:a,b""#

    private func directory(traces: Bool = false, key: String? = "litellm-key") throws -> ProviderDirectory {
        try .made(
            environment: ["OPENAI_API_KEY": "canary"], accounts: [.kind("openai", named: "team", key: "canary")],
            projects: [
                Project(name: "local"),
                Project(
                    name: "p", langfuse: LangfuseKeys(publicKey: SecretString("pk"), secretKey: SecretString("sk"))),
            ],
            settings: {
                $0.backends.litellmURL = BaseURL("http://litellm:4000/")
                $0.backends.litellmAPIKey = key.map(SecretString.init)
                $0.backends.litellmTraces = traces
                if let url = BaseURL("https://langfuse.example") { $0.backends.langfuse = .url(url) }
            })
    }

    @Test(arguments: [
        (
            #"{"model":"openai/m","n":1.0}"#,
            #"{"model":"openai/m","n":1.0,"api_key":"ck","metadata":{"tags":[TAGS]}}"#
        ),
        (
            #"{"metadata":{"tags":["own"],"x":1},"model":"openai/m"}"#,
            #"{"metadata":{"tags":["own",TAGS],"x":1},"model":"openai/m","api_key":"ck"}"#
        ),
        (
            #"{"api_key":"old","model":"openai/m","metadata":null}"#,
            #"{"api_key":"ck","model":"openai/m","metadata":{"tags":[TAGS]}}"#
        ),
    ])
    func `tags come after the body's own, in the reference's order; the client's key becomes api_key`(
        body: String, sent: String
    ) throws {
        let target = try directory().resolve(
            .chat("openai/m", body: body, key: "ck", rollout: Self.rollout, project: "p"))
        #expect(target.provider == "litellm")
        #expect(target.model == "openai/m")
        #expect(target.request.url == "http://litellm:4000/chat/completions")
        #expect(target.header("authorization") == "Bearer litellm-key")
        #expect(target.bodyText == sent.replacing("TAGS", with: Self.tags))
        #expect(target.request.addresses == .operatorChosen)
    }

    @Test func `without a key of its own LiteLLM gets no authorization`() throws {
        let target = try directory(key: nil).resolve(.chat("openai/m", key: "ck"))
        #expect(target.header("authorization") == nil)
        #expect(target.bodyText.hasSuffix(#","api_key":"ck"}"#))
    }

    /// An ingress that does not know of the proxy's traces has let it in.
    @Test(arguments: [ContentLogging.withheld, .redacted(LogRedaction(presets: ["email"]))])
    func `what is not to be traced as it is goes to no proxy that traces`(logging: ContentLogging) throws {
        var job = try Job.chat("openai/m", rollout: Self.rollout, project: "p")
        job.logging = logging
        let error = try failure { try directory(traces: true).resolve(job) }
        #expect(error.status == 400 && error.code == "always_logged" && error.message.contains("LITELLM_TRACES"))
        #expect(throws: Never.self) { try directory(traces: false).resolve(job) }
        job.project = "local"
        #expect(throws: Never.self) { try directory(traces: true).resolve(job) }
    }

    @Test(arguments: [
        (true, "p", true), (true, "local", false), (false, "p", false),
    ])
    func `Langfuse keys go along only when LiteLLM traces, and only the project's own`(
        traces: Bool, project: String, isSent: Bool
    ) throws {
        let target = try directory(traces: traces).resolve(.chat("openai/m", rollout: Self.rollout, project: project))
        let members =
            #""langfuse_public_key":"pk","langfuse_secret_key":"sk","langfuse_host":"https://langfuse.example""#
        #expect(target.bodyText.contains(members) == isSent)
        #expect(target.bodyText.contains("langfuse_") == isSent)
    }

    /// The proxy's own trace shows the metadata; a proxy that does not trace gets the ids alone.
    @Test(arguments: [(true, "p", true), (true, "local", false), (false, "p", false)])
    func `metadata goes along where the proxy traces`(traces: Bool, project: String, isSent: Bool) throws {
        var job = try Job.chat("openai/m", rollout: Self.rollout, project: project)
        job.metadata.set("team", to: "r\"ed", from: .header)
        let text = try directory(traces: traces).resolve(job).bodyText
        #expect(text.contains(#"[\#(Self.tags)\#(isSent ? #","team:r\"ed""# : "")]"#), "\(text)")
    }

    @Test func `metadata of a call outside a rollout is traced by the proxy too`() throws {
        var job = try Job.chat("openai/m", project: "p")
        job.metadata.set("team", to: "red", from: .key)
        #expect(try directory(traces: true).resolve(job).bodyText.contains(#""metadata":{"tags":["team:red"]}"#))
        job.path = "/embeddings"
        #expect(try !directory(traces: true).resolve(job).bodyText.contains("team"))
    }

    @Test func `the catch all goes there with its key alone`() throws {
        let target = try directory(traces: true).resolve(
            .chat("m", body: #"{"model":"m","input":"x"}"#, path: "/embeddings", query: "a=b", key: "ck", project: "p"))
        #expect(target.request.url == "http://litellm:4000/embeddings?a=b")
        #expect(target.bodyText == #"{"model":"m","input":"x","api_key":"ck"}"#)
        let models = try directory().resolve(.chat(nil, path: "/models", method: "GET", key: "ck"))
        #expect((models.request.url, models.bodyText) == ("http://litellm:4000/models", ""))
        #expect(!models.everything.contains("ck"))
    }

    @Test(arguments: [
        ("api_base", #""https://evil.example""#), ("base_url", #""https://evil.example""#), ("user_config", "{}"),
        ("fallbacks", "[]"),
        ("langfuse_host", #""https://evil.example""#), ("langfuse_public_key", #""pk""#),
        ("api\\u005fbase", #""x""#), ("model_list", "[]"),
        ("litellm_params", "{}"), ("vertex_credentials", "{}"),
        ("metadata", #"{"langfuse_secret_key":"x"}"#), ("litellm_metadata", #"{"langfuse_host":"x"}"#),
        ("metadata", #"{"api_base":"x"}"#),
    ])
    func `members that LiteLLM would act on are refused`(name: String, value: String) throws {
        let body = #"{"model":"openai/m","\#(name)":\#(value)}"#
        for traces in [true, false] {
            let error = try failure { try directory(traces: traces).resolve(.chat("openai/m", body: body)) }
            #expect((error.status, error.code) == (400, "forbidden_member"))
            #expect(error.param?.hasPrefix(name.replacing("\\u005f", with: "_")) == true)
        }
        // A direct provider gets the client's bytes: to it, the members mean nothing.
        #expect(try ProviderDirectory.made().resolve(.chat("openai/m", body: body, key: "k")).bodyText.contains(name))
    }

    @Test(arguments: [#""text""#, "[1]", #"{"tags":"text"}"#])
    func `metadata of another kind cannot be tagged`(metadata: String) throws {
        let body = #"{"model":"openai/m","metadata":\#(metadata)}"#
        #expect(
            try failure { try directory().resolve(.chat("openai/m", body: body, rollout: Self.rollout)) }.status == 400)
    }

    @Test func `server keys and accounts stay out`() throws {
        for model in ["openai/m", "team/m", "nobody/m", "m"] {
            #expect(try !directory().resolve(.chat(model)).everything.contains("canary"))
        }
    }

    @Test func `the mock and the client's own URL go past it`() throws {
        #expect(try directory().resolve(.chat("mock/echo")).request.url == "mock:/chat/completions")
        let target = try directory().resolve(
            .chat("openai/m", key: "ck", baseURL: "https://own.example/v1", rollout: Self.rollout))
        #expect(target.request.url == "https://own.example/v1/chat/completions")
        #expect(!target.everything.contains("litellm-key") && !target.everything.contains("rollout_id"))
    }
}
