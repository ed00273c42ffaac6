/// The providers' proxy, the trace store and the models that calls may go to.
package struct BackendSettings: Sendable, Equatable {
    /// The LiteLLM proxy that gets all calls, if there is one.
    package var litellmURL: BaseURL?
    package var litellmAPIKey: SecretString?
    /// Whether LiteLLM does the tracing, with the project's Langfuse keys.
    package var litellmTraces = false
    /// `Configuration.load` makes it Langfuse's cloud in `serve` too when the secrets file has keys for it and no
    /// variable says where.
    package var langfuse: LangfuseHost
    /// The provider or account for calls that name no model.
    package var defaultProvider: String?
    /// The time for which the default provider's list of models is good.
    package var modelListAge = Duration.seconds(10)
    /// From the question for that list to the last byte of the answer.
    package var modelListTimeout = Duration.seconds(5)
    /// The largest such list.
    package var modelListBytes = 8 << 20

    init(role: Role) {
        langfuse = role == .serve || role == .tracestore ? .embedded : .cloud
    }
}

extension BackendSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "LITELLM_URL", \.backends.litellmURL, rule: .url,
            meaning: "A LiteLLM proxy that gets all calls, instead of the providers themselves.", commands: .working),
        Setting(
            "LITELLM_API_KEY", \.backends.litellmAPIKey, rule: .headerKey, meaning: "The key for the LiteLLM proxy.",
            commands: .calling
        ),
        Setting(
            "LITELLM_TRACES", \.backends.litellmTraces, rule: .bool,
            meaning: "Whether the LiteLLM proxy does the tracing, with the project's Langfuse keys.",
            commands: .queueing),
        Setting(
            "LANGFUSE_HOST", \.backends.langfuse, rule: .langfuseHost,
            meaning:
                "The server that gets the traces; `embedded` is the gateway's own store. With `langfuse_keys` in the secrets file, `serve` has the default of the "
                + "other commands.",
            commands: .queueing),
        Setting(
            "DEFAULT_PROVIDER", \.backends.defaultProvider, rule: .name,
            meaning: "The provider or account for calls whose model names none, and for [models that it "
                + "lists](api.md#the-default-provider).",
            commands: .calling),
        Setting(
            "MODEL_LIST_AGE", \.backends.modelListAge, rule: .seconds(1...3600),
            meaning: "How long the default provider's list of models is used before the gateway asks for it again.",
            commands: .calling),
        Setting(
            "MODEL_LIST_TIMEOUT", \.backends.modelListTimeout, rule: .seconds(0.1...60),
            meaning: "How long a call waits for that list. After that, its provider is chosen without the list.",
            commands: .calling),
        Setting(
            "MODEL_LIST_BYTES", \.backends.modelListBytes, rule: .bytes(64 << 10...64 << 20),
            meaning: "The largest size of that list; a larger one is treated as missing.", commands: .calling),
    ]
}
