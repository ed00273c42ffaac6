internal import Common
internal import JSON
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
    /// Members of the body that the client did not send and that can be left out.
    package var addedMembers: [String]
    /// Whether the usage of a stream was asked for in the gateway's own name. The event that tells it is then not for
    /// the client.
    package var hidesUsage: Bool
    /// Whether the taker of the call traces it to Langfuse, so that the gateway does not.
    package var isTracedByBackend: Bool
    /// Whether the call is made again, once, when a kept connection closed without an answer. It may then be paid
    /// twice.
    package var repeatsOnClosedConnection: Bool

    package init(
        provider: String, model: String? = nil, request: UpstreamRequest, addedMembers: [String] = [],
        hidesUsage: Bool = false,
        isTracedByBackend: Bool = false, repeatsOnClosedConnection: Bool = true
    ) {
        self.provider = provider
        self.model = model
        self.request = request
        self.addedMembers = addedMembers
        self.hidesUsage = hidesUsage
        self.isTracedByBackend = isTracedByBackend
        self.repeatsOnClosedConnection = repeatsOnClosedConnection
    }
}

extension Target {
    /// The same call without some of the members that were added to it.
    func without(_ members: [String]) -> Target {
        let members = members.filter { addedMembers.contains($0) }
        guard !members.isEmpty, let object = try? JSONObject.scan(request.body, maximumDepth: .max) else {
            return self
        }
        var splice = JSONSplice(object)
        for member in members { splice.remove(member) }
        var target = self
        target.request.body = splice.result()
        target.addedMembers.removeAll { members.contains($0) }
        if members.contains(StreamOptions.member) { target.hidesUsage = false }
        return target
    }
}

extension Target: CustomStringConvertible {
    /// Without URL, headers and body, so that a key cannot slip into a log.
    package var description: String { "Target(\(provider), \(model ?? "no model"))" }
}
