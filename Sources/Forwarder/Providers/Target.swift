package import Common
package import Upstream

/// One call, ready to be made: where a job goes and what it says there. Holds keys, so it is never logged.
package struct Target: Sendable {
    /// The taker of the call: a provider's prefix, an account's name, `litellm`, `client` (a base URL that the client
    /// chose) or `mock`. Chosen by the operator, never by a client, so fit for a metric label.
    package var provider: String
    /// The model's name as the provider gets it. Nil for a call that names none.
    package var model: String?
    /// The call. Its URL begins with `mock:` when `MockUpstream` answers it; `Upstreams` takes both kinds.
    package var request: UpstreamRequest
    /// Members that the provider refuses, such as `stream_options`, and that must not be added.
    package var rejectedMembers: Set<UTF8Text>
    /// Whether the usage of a stream was asked for in the gateway's own name: the event that tells it is then not for
    /// the client.
    package var hidesUsage: Bool
    /// Whether who takes the call traces it to Langfuse, so that the gateway does not.
    package var isTracedByBackend: Bool
    /// Whether the call is made again, once, when a kept connection closed without an answer. It may then be paid
    /// twice.
    package var repeatsOnClosedConnection: Bool

    package init(
        provider: String, model: String? = nil, request: UpstreamRequest, rejectedMembers: Set<UTF8Text> = [],
        hidesUsage: Bool = false,
        isTracedByBackend: Bool = false, repeatsOnClosedConnection: Bool = true
    ) {
        self.provider = provider
        self.model = model
        self.request = request
        self.rejectedMembers = rejectedMembers
        self.hidesUsage = hidesUsage
        self.isTracedByBackend = isTracedByBackend
        self.repeatsOnClosedConnection = repeatsOnClosedConnection
    }
}

extension Target: CustomStringConvertible {
    /// Without URL, headers and body, so that a key cannot slip into a log.
    package var description: String { "Target(\(provider), \(model ?? "no model"))" }
}
