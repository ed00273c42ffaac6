package import Common

/// The facts about a request on which rules may decide.
package struct RequestFacts: Sendable {
    package var caller: Caller
    /// As the request names it.
    package var model: String?
    /// The metadata of the headers, the operator and the client's key.
    package var metadata: ResolvedMetadata
    /// The ids of the path.
    package var rollout: RolloutIDs?

    package init(
        caller: Caller = Caller(), model: String? = nil, metadata: ResolvedMetadata = ResolvedMetadata(),
        rollout: RolloutIDs? = nil
    ) {
        self.caller = caller
        self.model = model
        self.metadata = metadata
        self.rollout = rollout
    }

    /// The entry of a key. The ids of the path stand before what else has their names.
    package subscript(_ key: String) -> ResolvedMetadata.Entry? {
        if let id = rollout?.id(named: key) { return ResolvedMetadata.Entry(key, id, from: .path) }
        return metadata[key]
    }
}
