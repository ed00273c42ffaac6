/// The place to which traces go.
package enum LangfuseHost: Sendable, Equatable {
    /// The trace store inside the gateway.
    case embedded
    /// A Langfuse server.
    case url(BaseURL)

    /// Langfuse's own cloud in the United States, the default of eval-protocol's gateway.
    package static let cloud = LangfuseHost.url(
        BaseURL(
            scheme: "https", host: "us.cloud.langfuse.com", port: 443, path: "", text: "https://us.cloud.langfuse.com"))
}
