/// The query of `/traces` and `/traces/pointwise`, as eval-protocol's gateway has it.
package struct TracesQuery: Sendable, Equatable {
    static let defaultLimit = 100
    static let mostTraces = 10_000_000
    static let defaultRetries = 3
    static let mostRetries = 20

    /// From the tag `rollout_id:…`.
    package var rollout: Rollout
    /// The most traces of the answer. It does not limit what is checked.
    package var limit = TracesQuery.defaultLimit
    /// If given, so many of them are picked at random.
    package var sampleSize: Int?
    package var filter = TraceFilter()
    package var members = TraceMembers.all
    /// Traces from this time on …
    package var from: Timestamp?
    /// … and before this one.
    package var to: Timestamp?
    /// The number of further looks at the rollout while it is not complete.
    package var maxRetries = TracesQuery.defaultRetries

    /// - Parameters:
    ///   - query: without its `?`, percent-encoded.
    ///   - project: the project of the request's path, or the client's own.
    ///   - now: for `hours_back`.
    /// - Throws: a 400 that says what is wrong.
    package init(_ query: String?, in project: String, now: Timestamp) throws(GatewayError) {
        let items = try QueryItems(query)
        let (name, tags) = try Self.tags(items)
        (rollout, filter.tags) = (Rollout(name, project: project), tags)
        limit = try items.integer("limit", in: 1...Self.mostTraces) ?? limit
        sampleSize = try items.integer("sample_size", in: 1...Self.mostTraces)
        maxRetries = try items.integer("max_retries", in: 0...Self.mostRetries) ?? maxRetries
        // The traces are read by the page, so no pause is needed between them.
        _ = try items.decimal("sleep_between_gets", upTo: 3600)
        try readTimes(items, now: now)
        if let fields = items.value("fields") { members = try TraceMembers(fields: fields) }
        // It asks for the payloads of tokens, which are not kept. Inputs and outputs are none of them.
        _ = try items.bool("include_payloads")
        filter.userID = items.value("user_id")
        filter.sessionID = items.value("session_id")
        filter.name = items.value("name")
        filter.environment = items.value("environment")
        filter.version = items.value("version")
        filter.release = items.value("release")
        if let named = items.value("project_id"), named != project {
            throw .invalidQuery("project_id", "names another project than the path; leave one of them out")
        }
    }

    private mutating func readTimes(_ items: QueryItems, now: Timestamp) throws(GatewayError) {
        let hours = try items.integer("hours_back", in: 1...876_000)
        let (first, end) = (try items.time("from_timestamp"), try items.time("to_timestamp"))
        // No completion was made before 1970.
        (from, to) = (first.map { Timestamp(clamping: $0) }, end.map { Timestamp(clamping: $0) })
        // The times win over `hours_back`, as in eval-protocol's gateway.
        if first == nil, end == nil, let hours { from = now - .seconds(hours * 3600) }
        if let first, let end, first >= end {
            throw .invalidQuery("to_timestamp", "must be later than `from_timestamp`")
        }
    }

    /// The rollout, and the tags beside it.
    private static func tags(_ items: QueryItems) throws(GatewayError) -> (rollout: String, others: [String]) {
        let prefix = "rollout_id:"
        let tags = items.values("tags")
        let rollouts = Set(texts: tags.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
        guard let rollout = rollouts.first?.text else {
            throw .invalidRequest(
                code: "missing_rollout_id",
                "The query must name a rollout by a tag, such as /traces?tags=rollout_id:my-rollout. Tags of other kinds choose among its traces.",
                param: "tags")
        }
        guard rollouts.count == 1 else {
            throw .invalidQuery("tags", "names more than one rollout_id; ask for one rollout at a time")
        }
        guard RolloutName.isValid(rollout) else {
            throw .invalidQuery("tags", "holds a rollout_id that \(RolloutName.rule)")
        }
        return (rollout, tags.filter { !$0.hasPrefix(prefix) && !$0.isEmpty })
    }
}
