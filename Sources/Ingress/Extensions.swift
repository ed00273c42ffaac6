public import Hummingbird

/// Additions of an operator's custom build to the gateway: who may enter, what happens to a chat completion before it
/// is queued, what may be asked about traces, further routes.
///
/// ```swift
/// let extensions = Extensions(auth: MyAuth(), chatHooks: [NightlyRun()]) { router in
///     router.get("/internal/motd") { _, _ in "All providers are up." }
/// }
/// ```
public struct Extensions: Sendable {
    /// Nil: `API_KEYS_PATH` decides between `.apiKeys(file:)` and `.none`.
    public var auth: (any AuthProvider)?
    public var chatHooks: [any ChatHook]
    public var tracesHooks: [any TracesHook]
    /// Adds routes. They go before the catch-all, and after the gateway's own, and are matched against the path as it
    /// is: with `/v1` or a project in front it is another path. They are not behind `auth`: a route that is not for
    /// everyone asks for itself.
    public var routes: @Sendable (Router<GatewayContext>) -> Void

    public init(
        auth: (any AuthProvider)? = nil, chatHooks: [any ChatHook] = [], tracesHooks: [any TracesHook] = [],
        routes: @escaping @Sendable (Router<GatewayContext>) -> Void = { _ in }
    ) {
        self.auth = auth
        self.chatHooks = chatHooks
        self.tracesHooks = tracesHooks
        self.routes = routes
    }
}
