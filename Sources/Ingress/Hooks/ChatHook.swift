public import Common
public import HTTPTypes

/// Looks at a chat completion before it is queued, and may change its body or its ids. Hooks run in the order in which they were given.
///
/// ```swift
/// struct TemperatureZero: ChatHook {
///     func prepare(_ call: inout ChatCall) async throws {
///         guard call.account?.id == "nightly" else { return }
///         call.rollout?.run = "nightly"
///     }
/// }
/// ```
public protocol ChatHook: Sendable {
    /// - Throws: the error that the client is told; nothing is queued then. An error that is not a `GatewayError` becomes a 500 without its text.
    func prepare(_ call: inout ChatCall) async throws
}

/// A chat completion on its way to the queue.
public struct ChatCall: Sendable {
    /// The request's body. What a hook leaves here is checked like a client's own body.
    public var body: [UInt8]
    /// The ids of the path; nil for a completion without a rollout.
    public var rollout: RolloutIDs?
    /// The base URL that the client chose, decoded, if any.
    public var baseURL: String?
    /// The project; already known to exist and to be allowed.
    public let project: String
    /// Who asks, where the gateway authenticates.
    public let account: Account?
    /// The request's headers, to look at.
    public let headers: HTTPFields

    public init(body: [UInt8], rollout: RolloutIDs?, baseURL: String?, project: String, account: Account?, headers: HTTPFields) {
        self.body = body
        self.rollout = rollout
        self.baseURL = baseURL
        self.project = project
        self.account = account
        self.headers = headers
    }
}
