import Common
import Testing
import Upstream

@testable import Forwarder

@Suite struct StreamOptionsTests {
    private func added(to text: String) throws -> (isAdded: Bool, text: String) {
        var body = try JobBody(Array(text.utf8), maximumDepth: 64)
        let isAdded = StreamOptions.add(to: &body)
        return (isAdded, String(decoding: body.result, as: UTF8.self))
    }

    @Test func `the member is added and all else stays`() throws {
        let body = #" { "model" : "m", "stream":true , "seed":1.0e2 } "#
        #expect(
            try added(to: body) == (
                true, #" { "model" : "m", "stream":true , "seed":1.0e2,"stream_options":{"include_usage":true} } "#
            ))
    }

    @Test(arguments: [
        #"{"stream_options":{"include_usage":false}}"#, #"{"stream_options":null}"#, #"{"stream_options":{}}"#,
        #"{"str\u0065am_options":{}}"#,
        "text", "",
    ])
    func `what the client says stands`(body: String) throws {
        #expect(try added(to: body) == (false, body))
    }

    @Test func `only streamed completions are asked for`() throws {
        var job = try SpanSample.job(#"{"stream":true}"#)
        #expect(!StreamOptions.areWanted(for: job))
        job.isStream = true
        #expect(StreamOptions.areWanted(for: job))
        job.path = "/completions"
        #expect(!StreamOptions.areWanted(for: job))
    }
}

@Suite struct StreamedTargetTests {
    private func job(_ model: String, baseURL: String? = nil) throws -> Job {
        var job = try Job.chat(model, key: "key", baseURL: baseURL, rollout: SpanSample.rollout)
        job.isStream = true
        return job
    }

    @Test(arguments: ["openai/x", "fireworks_ai/x", "mock/echo"]) func `the usage is asked for and hidden`(
        model: String
    ) throws {
        let target = try ProviderDirectory.made().resolve(try job(model))
        #expect(target.hidesUsage)
        #expect(target.bodyText.hasSuffix(#","stream_options":{"include_usage":true}}"#))
    }

    @Test func `an account that refuses the member does not get it`() throws {
        var accounts = [ProviderAccount.kind("openai", named: "a"), .kind("mistral", named: "b")]
        accounts[0].rejectedMembers = ["stream_options"]
        let directory = try ProviderDirectory.made(accounts: accounts)
        for model in ["a/x", "b/x"] {
            let target = try directory.resolve(try job(model))
            #expect(!target.hidesUsage && target.addedMembers.isEmpty && !target.bodyText.contains("stream_options"))
        }
        #expect(try directory.resolve(try job("openai/x")).addedMembers == ["stream_options"])
    }

    @Test(arguments: ["cohere/x", "mistral/x", "codestral/x"]) func `who refuses the member does not get it`(
        model: String
    ) throws {
        let target = try ProviderDirectory.made().resolve(try job(model))
        #expect(!target.hidesUsage)
        #expect(!target.bodyText.contains("stream_options"))
    }

    @Test func `a server of the clients is not asked`() throws {
        let target = try ProviderDirectory.made().resolve(try job("x", baseURL: "https://own.example/v1"))
        #expect(!target.hidesUsage)
        #expect(!target.bodyText.contains("stream_options"))
    }

    @Test(arguments: ["openai/x", "mock/echo"]) func `no store is asked for a project that is not traced`(
        model: String
    ) throws {
        let target = try ProviderDirectory.made().resolve(try job(model), isTraced: false)
        #expect(!target.hidesUsage)
        #expect(!target.bodyText.contains("stream_options"))
    }

    @Test func `a LiteLLM proxy is asked unless it traces by itself`() throws {
        let base = try #require(BaseURL("http://litellm"))
        let keys = LangfuseKeys(publicKey: SecretString("pk"), secretKey: SecretString("sk"))
        for (asks, traces, project) in [
            (true, false, "local"), (true, true, "other"), (true, true, "local"), (false, false, "local"),
        ] {
            let litellm = LiteLLMBackend(
                base: base, key: nil, langfuseHost: traces ? "https://langfuse.example" : nil,
                langfuseKeys: ["local": keys])
            var job = try job("openai/x")
            job.project = project
            let body = try JobBody(job.body, maximumDepth: 64)
            let target = try litellm.target(job, body: body, asksUsage: asks, timeouts: .init(), limits: .init())
            let isTraced = traces && project == "local"
            #expect(target.isTracedByBackend == isTraced)
            #expect(target.hidesUsage == (asks && !isTraced))
            #expect(target.bodyText.contains("stream_options") == (asks && !isTraced))
        }
    }
}
