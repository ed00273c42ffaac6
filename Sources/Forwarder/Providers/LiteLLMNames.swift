internal import Common

/// The meaning of a request's members to a LiteLLM proxy (1.109.1: types/utils.py `all_litellm_params`,
/// proxy/auth/auth_utils.py, types/router.py). Names are judged in lower case, with `_` for `-`. One that is not ASCII,
/// or longer than any of these, is none of the proxy's.
enum LiteLLMNames {
    enum Kind: Sendable {
        /// Content for the model: not looked into.
        case content
        /// A provider's parameter of any form: the names within it are looked at.
        case parameters
        /// `metadata` and the like: the client chooses the names within it, and LiteLLM reads some of them.
        case metadata
        /// The gateway does not know the name: a plain value passes.
        case unknown
        /// LiteLLM acts on it: it sends the call, its keys or its traces elsewhere, chooses credentials, or makes
        /// further calls.
        case refused
    }

    static func kind(of name: String) -> Kind {
        guard let name = normal(name) else { return .unknown }
        if metadata.contains(name) { return .metadata }
        if content.contains(name) { return .content }
        if parameters.contains(name) { return .parameters }
        return isActedOn(name) || tellsOfDestination(name) ? .refused : .unknown
    }

    /// Whether LiteLLM acts on a member of that name within `metadata`.
    static func isActedOnInMetadata(_ name: String) -> Bool {
        guard let name = normal(name) else { return false }
        return ownedInMetadata.contains(name)
            || prefixes.contains { name.hasPrefix($0) } && !name.hasPrefix("litellm_session")
            || partsInMetadata.contains { name.contains($0) }
    }

    /// Whether LiteLLM would act on a member of that name within a provider's parameter, if it spread it into the call.
    static func isActedOnWithin(_ name: String) -> Bool {
        guard let name = normal(name) else { return false }
        return !harmlessWithin.contains(name) && isActedOn(name)
    }

    private static func isActedOn(_ name: String) -> Bool {
        owned.contains(name) || name.hasPrefix("_") || prefixes.contains { name.hasPrefix($0) }
            || parts.contains { name.contains($0) }
    }

    private static func tellsOfDestination(_ name: String) -> Bool {
        name.split(separator: "_").contains { words.contains(String($0)) }
    }

    /// The name in lower case, with `_` for `-`; nil for a name that cannot be one of those below.
    private static func normal(_ name: String) -> String? {
        guard name.utf8.count <= 128, name.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return String(
            decoding: name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0.asciiLowercased }, as: UTF8.self)
    }

    private static let metadata: Set<UTF8Text> = ["metadata", "litellm_metadata"]

    private static let content: Set<UTF8Text> = [
        "model", "messages", "input", "prompt", "contents", "content", "system", "system_instruction",
        "systeminstruction", "instructions", "tools",
        "functions",
        "documents", "document", "query", "queries", "texts", "text", "file", "files", "image", "images", "image_url",
        "mask", "audio", "audio_url",
        "video",
        "video_url", "requests", "suffix", "user", "stop", "stop_sequences", "response_format", "response_schema",
        "prediction", "api_key",
        "mcp_servers",
        "title", "name", "description", "attributes", "data_source", "data_source_config", "endpoint", "filters",
        "function_call",
        "generation_config",
        "generationconfig", "grammar", "guided_choice", "guided_json", "instances", "json_schema", "labels",
        "output_config", "output_format",
        "parameters",
        "structured_outputs", "testing_criteria", "tool_choice",
    ]

    private static let parameters: Set<UTF8Text> = [
        "audio_config", "bad_words", "cached_content", "cachedcontent", "chat_template_kwargs", "chunking_strategy",
        "completion_window", "container",
        "context_management", "expires_after", "hyperparameters", "include", "integrations", "logit_bias", "method",
        "modalities",
        "output_expires_after",
        "plugins", "prompt_cache_options", "provider", "ranking_options", "reasoning", "safety_settings",
        "safetysettings", "session",
        "stream_options",
        "thinking", "timestamp_granularities", "tool_config", "toolconfig", "tool_resources", "transforms",
        "turn_detection", "voice",
        "voice_settings",
        "web_search_options",
        // LiteLLM acts on these, and neither redirects nor repeats a call for them.
        "tags", "timeout", "request_timeout", "stream_timeout", "drop_params", "litellm_session_id", "litellm_trace_id",
        "bos_token", "eos_token",
        "max_budget", "budget_duration", "max_parallel_requests", "rpm", "tpm",
    ]

    /// LiteLLM's own parameters that neither `prefixes` nor `parts` cover.
    private static let owned: Set<UTF8Text> = [
        "acompletion", "aembedding", "aimg_generation", "allm_passthrough_route", "allowed_model_region",
        "allowed_openai_params",
        "additional_drop_params",
        "api_version", "assistant_continue_message", "async_call", "atext_completion", "attempted_targets", "azure",
        "base_model", "bucket_name",
        "cache", "cache_key", "caching", "caching_groups", "client", "client_id", "client_secret",
        "client_side_timeout",
        "complete_response", "completion_call_id", "config", "configurable_clientside_auth_params", "cooldown_time",
        "custom_prompt_dict",
        "data_residency", "deployment", "deployment_id", "deployments", "disable_add_transform_inline_image_block",
        "enable_json_schema_validation",
        "enable_prompt_caching", "enable_tag_filtering", "ensure_alternating_roles", "extra_body", "extra_query",
        "fastest_response",
        "final_prompt_value", "force_timeout", "guardrails", "guardrail_config", "headers", "hf_model_name", "id",
        "itpm", "keepalive_seconds",
        "logger_fn",
        "max_agentic_loops", "max_file_size_mb", "merge_reasoning_content_in_choices", "model_alias_map",
        "model_config", "model_file_id_mapping", "model_group", "model_info", "model_list", "no_log", "order",
        "organization", "otpm",
        "output_vector_size", "preset_cache_key", "prompt_environment", "prompt_id", "prompt_label", "prompt_variables",
        "prompt_version",
        "provider_affinity_header", "provider_specific_header", "region_name", "roles", "rust", "search_tool_name",
        "secret_fields", "self",
        "shared_session", "silent_model", "ssl_verify", "stream_chunk_size", "stream_response",
        "stream_timeout_by_service_tier",
        "supports_system_message", "tag_regex", "tenant_id", "text_completion", "tiered_pricing",
        "timeout_by_service_tier", "ttl",
        "turn_off_message_logging", "use_chat_completions_api", "use_client", "use_in_pass_through", "use_ssl",
        "use_xai_oauth", "user_config",
        "user_continue_message", "verbose", "weight", "workspace_id", "vector_store_registry",
    ]
    private static let prefixes = [
        "adaptive_router", "agentcore_", "allow_client", "anthropic_disable", "anthropic_federation",
        "anthropic_identity", "anthropic_issuer",
        "anthropic_keycloak", "anthropic_organization", "anthropic_service", "anthropic_workspace", "arize_",
        "auto_router", "aws_", "azure_",
        "bedrock_",
        "braintrust_", "complexity_router", "databricks_", "dd_", "default_api_key", "fireworks_forward", "gcs_",
        "helicone_", "humanloop_",
        "langfuse_",
        "langsmith_", "litellm_", "log_client", "lunary_", "milvus_", "mlflow_", "newrelic_", "nvcf_", "oci_",
        "openai_identity",
        "openai_service_account",
        "opik_", "posthog_", "quality_router", "regional_", "s3_", "sagemaker_", "signoz_", "slack_", "user_api_key",
        "valkey_", "vertex_", "wandb_",
        "watsonx_", "weave_",
    ]
    private static let parts = [
        "api_base", "apibase", "base_url", "baseurl", "api_key", "callback", "credential", "custom_llm_provider",
        "default_headers", "extra_headers",
        "fallback",
        "mock_", "retries", "retry", "router_settings", "routing_strategy", "use_litellm", "webhook", "_cost",
        "cost_per", "access_token",
        "auth_token",
        "ad_token", "hf_token", "api_token", "identity_token", "proxy_server",
    ]
    /// Words that, in an unknown name, tell of a destination or of a secret.
    private static let words: Set<UTF8Text> = [
        "url", "urls", "uri", "host", "hosts", "hostname", "endpoint", "endpoints", "proxy", "proxies", "secret",
        "secrets", "password",
        "authorization",
        "headers", "webhook", "server",
    ]

    private static let ownedInMetadata: Set<UTF8Text> = [
        "deployment_url", "extra_body", "extra_headers", "guardrails", "headers", "hidden_params", "litellm_params",
        "logging", "model_info",
        "model_list",
        "proxy_server_request", "router_settings_override", "rust", "tiered_pricing", "turn_off_message_logging",
        "use_ssl", "user_config",
    ]
    private static let partsInMetadata = [
        "api_base", "base_url", "api_key", "callback", "credential", "custom_llm_provider", "ad_token",
        "identity_token", "cost_per",
    ]

    /// Names within a provider's parameter that say something else there.
    private static let harmlessWithin: Set<UTF8Text> = [
        "id", "order", "config", "client", "azure", "cache", "caching", "ttl", "roles", "weight", "self", "verbose",
        "allow_fallbacks", "region_name",
        "data_collection",
    ]
}
