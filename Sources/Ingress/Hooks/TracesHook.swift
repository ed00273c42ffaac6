public import HTTPTypes

/// Looks at a question about traces (`/traces`, `/traces/pointwise`) before it is worked on, and may change what is
/// asked. Hooks run in the order in which they were given.
///
/// ```swift
/// struct OwnTracesOnly: TracesHook {
///     func prepare(_ question: inout TracesQuestion) async throws {
///         guard let account = question.account else { return }
///         question.items.append(("tags", "run_id:\(account.id)"))
///     }
/// }
/// ```
public protocol TracesHook: Sendable {
    /// - Throws: the error that the client is told. An error that is not a `GatewayError` becomes a 500 without its
    ///   text.
    func prepare(_ question: inout TracesQuestion) async throws
}

/// A question about traces on its way to the verifiers.
public struct TracesQuestion: Sendable {
    /// The query's parameters, decoded, in their order; `tags` and `fields` may be repeated. What a hook leaves here is
    /// checked like a client's own.
    public var items: [(name: String, value: String)]
    /// Whether `/traces/pointwise` was asked: for the newest trace alone.
    public let isPointwise: Bool
    /// The project; already known to exist and to be allowed.
    public let project: String
    /// The account that asks, where the gateway authenticates.
    public let account: Account?
    /// The request's headers, to look at.
    public let headers: HTTPFields

    public init(
        items: [(name: String, value: String)], isPointwise: Bool, project: String, account: Account?,
        headers: HTTPFields
    ) {
        self.items = items
        self.isPointwise = isPointwise
        self.project = project
        self.account = account
        self.headers = headers
    }
}
