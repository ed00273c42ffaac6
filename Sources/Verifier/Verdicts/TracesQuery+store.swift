internal import Common

extension TraceFilter {
    /// Whether a trace passes.
    func matches(_ head: TraceHead) -> Bool {
        tags.allSatisfy { head.tags.contains($0) } && matches(userID, head.userID) && matches(sessionID, head.sessionID)
            && matches(name, head.name) && matches(environment, head.environment) && matches(version, head.version)
            && matches(release, head.release)
    }

    private func matches(_ wanted: String?, _ value: String?) -> Bool { wanted == nil || wanted == value }
}

extension TraceMembers {
    /// The detail to ask of the trace store.
    var detail: StoreQuery.Detail { isDisjoint(with: Self.all.subtracting([Self.head, .scores])) ? .head : .body }

    /// Whether the traces' observations are to be asked of the trace store.
    var needsObservations: Bool { !isDisjoint(with: Self.generation.union(.observations)) }
}

extension TracesQuery {
    /// Whether a completion was made in the time that the query names.
    func includes(_ id: InsertionID) -> Bool { from.map { id.time >= $0 } ?? true && to.map { id.time < $0 } ?? true }
}
