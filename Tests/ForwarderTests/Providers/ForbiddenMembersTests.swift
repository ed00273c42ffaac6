import Common
import Testing
import Upstream

@testable import Forwarder

/// What a LiteLLM proxy would act on reaches it in no kind of body, at no depth.
@Suite struct ForbiddenMembersTests {
    private static let redirecting = [
        "api_base", "base_url", "API_BASE", "api-base", "api_version", "aws_bedrock_runtime_endpoint",
        "aws_sts_endpoint", "aws_session_token",
        "azure_ad_token",
        "vertex_credentials", "vertex_project", "s3_endpoint_url", "sagemaker_base_url", "deployment_url",
        "user_config", "model_list",
        "litellm_params",
        "litellm_credential_name", "router_settings_override", "fallbacks", "context_window_fallbacks",
        "content_policy_fallbacks", "num_retries",
        "max_retries", "retry_policy", "custom_llm_provider", "organization", "extra_body", "extra_headers", "headers",
        "default_headers",
        "langfuse_host",
        "langsmith_base_url", "posthog_host", "slack_webhook_url", "dd_agent_host", "callbacks", "success_callback",
        "mock_response", "mock_timeout",
        "fastest_response", "guardrails", "caching", "prompt_id", "ssl_verify", "proxy_server_request",
        "litellm_embedding_config", "hf_token",
        "input_cost_per_token", "anthropic_issuer_url", "nvcf_function_id", "some_url", "target_host", "my_endpoint",
        "client_secret",
        "deployment_id",
        "provider_specific_header", "_agentic_loop_depth", "model_info", "tiered_pricing", "silent_model",
        "shared_session",
    ]
    private static let inMetadata = [
        "langfuse_host", "langfuse_secret_key", "api_base", "api_key", "user_api_key_team_id", "callbacks",
        "langsmith_base_url",
        "vertex_credentials",
        "aws_role_name", "litellm_credential_name", "headers", "router_settings_override", "posthog_api_url",
    ]
    private static let form = [HeaderField("content-type", "application/x-www-form-urlencoded")]
    private static let multipart = [HeaderField("content-type", "multipart/form-data; boundary=b")]

    private func refusal(_ body: String, headers: [HeaderField] = [], query: String? = nil) throws -> GatewayError {
        let directory = try ProviderDirectory.made(settings: { $0.backends.litellmURL = BaseURL("http://litellm:4000") }
        )
        return try failure {
            try directory.resolve(.chat(nil, body: body, path: "/embeddings", query: query, headers: headers))
        }
    }

    private func pass(_ body: String, headers: [HeaderField] = [], query: String? = nil) throws {
        let directory = try ProviderDirectory.made(settings: { $0.backends.litellmURL = BaseURL("http://litellm:4000") }
        )
        #expect(
            try directory.resolve(.chat(nil, body: body, path: "/embeddings", query: query, headers: headers)).bodyText
                == body)
    }

    private static func part(_ name: String, _ value: String) -> String {
        "--b\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n--b--"
    }

    @Test(arguments: redirecting) func `every kind of body`(name: String) throws {
        for value in ["1", #""x""#, "{}", "[]", #"[{"model":"m","api_base":"x"}]"#] {
            let error = try refusal(#"{"model":"m","\#(name)":\#(value)}"#)
            #expect(error.code == "forbidden_member" && error.param == name)
        }
        #expect(try refusal("model=m&\(name)=x", headers: Self.form).code == "forbidden_member")
        #expect(try refusal("model=m&\(name)%5Bx%5D=x", headers: Self.form).code == "forbidden_member")
        #expect(try refusal(Self.part(name, "x"), headers: Self.multipart).code == "forbidden_member")
        #expect(try refusal("{}", query: "\(name)=x").code == "forbidden_member")
        // JSON under a form's label, and escaped.
        #expect(try refusal(#" {"\#(name)":"x"}"#, headers: Self.form).code == "forbidden_member")
        let escaped = name.unicodeScalars.map { "\\u00" + String($0.value, radix: 16) }.joined()
        #expect(try refusal(#"{"\#(escaped)":"x"}"#).code == "forbidden_member")
    }

    @Test(arguments: inMetadata) func `nested in metadata`(name: String) throws {
        for outer in ["metadata", "litellm_metadata"] {
            for value in [#"{"\#(name)":"x"}"#, #"{"a":[{"b":{"\#(name)":"x"}}]}"#, #""{\"\#(name)\":\"x\"}""#] {
                let error = try refusal(#"{"model":"m","\#(outer)":\#(value)}"#)
                #expect(error.code == "forbidden_member" && error.param == "\(outer).\(name)")
            }
            #expect(try refusal("\(outer)%5B\(name)%5D=x", headers: Self.form).code == "forbidden_member")
            #expect(try refusal("\(outer)=%7B%22\(name)%22%3A1%7D", headers: Self.form).code == "forbidden_member")
            #expect(
                try refusal(Self.part("\(outer)[\(name)]", "x"), headers: Self.multipart).code == "forbidden_member")
            #expect(
                try refusal(Self.part(outer, #" {"\#(name)":"x"}"#), headers: Self.multipart).code == "forbidden_member"
            )
        }
    }

    @Test(arguments: [
        #"{"model":"huggingface/http://evil.example/x"}"#, #"{"model":"a,b"}"#,
        #"{"model":"m","api_key":"os.environ/OPENAI_API_KEY"}"#,
        #"{"model":"m","unknown":"https://evil.example"}"#, #"{"model":"m","unknown":{"a":1}}"#,
        #"{"model":"m","unknown":[[1]]}"#,
        #"{"model":"m","unknown":["http://evil.example"]}"#, #"{"model":"m","unknown":"os.environ/X"}"#,
        #"{"model":"m","unknown":" {\"api_base\":1}"}"#,
        #"{"model":"m","plugins":[{"x":{"api_base":"y"}}]}"#,
        #"{"model":"m","chat_template_kwargs":{"extra_body":{}}}"#,
    ])
    func `values that lead elsewhere`(body: String) throws {
        #expect(try refusal(body).code == "forbidden_member")
    }

    @Test func `fields that are files`() throws {
        let body = "--b\r\nContent-Disposition: form-data; name=\"unknown\"; filename=\"x\"\r\n\r\nx\r\n--b--"
        #expect(try refusal(body, headers: Self.multipart).code == "forbidden_member")
    }

    @Test(arguments: [
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y"}}]}],"n":2,"seed":1}"#,
        #"{"model":"m","tools":[{"type":"function","function":{"parameters":{"properties":{"api_base":{},"url":{}}}}}],"tool_choice":{"type":"auto"}}"#,
        #"{"model":"m","response_format":{"json_schema":{"schema":{"properties":{"base_url":{}}}}},"guided_json":{"host":{}}}"#,
        #"{"model":"m","top_k":5,"min_p":0.1,"repetition_penalty":1.1,"stop_token_ids":[1,2],"my_param":"x","safe_prompt":true,"ignore_eos":null}"#,
        #"{"model":"m","metadata":{"dataset":"a","host":"h","url":"https://x","retry_count":1,"deployment":"prod","nested":{"id":1}},"user":"u"}"#,
        #"{"model":"m","provider":{"order":["a"],"allow_fallbacks":true},"reasoning":{"effort":"low"},"thinking":{"budget_tokens":1}}"#,
        #"{"model":"m","stream":true,"stream_options":{"include_usage":true},"logit_bias":{"1":2},"timeout":3,"security_level":"x"}"#,
        #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseSchema":{"properties":{"url":{}}}},"safetySettings":[{"category":"x"}]}"#,
    ])
    func `what a model is told, and plain parameters of any provider, pass as they are`(body: String) throws {
        try pass(body)
    }

    @Test func `forms pass`() throws {
        try pass("model=m&language=de&timestamp_granularities%5B%5D=word&metadata=plain", headers: Self.form)
        try pass(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n{RIFF\r\n"
                + Self.part("response_format", "json"),
            headers: Self.multipart, query: "api-version=2024-10-21")
    }

    @Test func `names of two megabytes cost nothing`() throws {
        let marks = String(repeating: "\u{323}\u{301}", count: 500_000)
        let clock = ContinuousClock()
        let time = try clock.measure { try pass(#"{"model":"m","\#(marks)":1,"metadata":{"\#(marks)":"\#(marks)"}}"#) }
        #expect(time < .seconds(60))
    }

    @Test(arguments: [
        ["application/x-www-form-urlencoded; x=json"], ["multipart/form-data; boundary=json"],
        ["application/json", "application/x-www-form-urlencoded"],
        ["text/plain"], [],
    ])
    func `JSON is labelled JSON under any label of the client's`(types: [String]) throws {
        let directory = try ProviderDirectory.made(settings: { $0.backends.litellmURL = BaseURL("http://litellm:4000") }
        )
        let target = try directory.resolve(.chat("m", headers: types.map { HeaderField("Content-Type", $0) }))
        #expect(target.request.headers.filter { $0.name == "content-type" }.map(\.value) == ["application/json"])
    }
}
