/// A client's question about a rollout, parsed.
///
/// The ingress parses it before it is queued, so that a malformed question never reaches the queue. The job carries the
/// request's path, query and headers; the verifier parses them with the same initializer.
package enum RolloutQuery: Sendable, Equatable {
    /// `/rollouts/{rollout_id}`.
    case verdict(VerdictQuery)
    /// `/traces` and `/traces/pointwise`.
    case traces(TracesQuery)
    /// `/traces/completion`: the trace of one completion, for the dashboard. Its rollout may still run.
    case trace(InsertionID, of: TracesQuery)

    /// - Parameters:
    ///   - path: percent-encoded, without the gateway's own prefixes.
    ///   - query: percent-encoded, without its `?`.
    ///   - headers: the client's; `Accept` and `If-None-Match` are looked at.
    ///   - project: the project of the request's path, or the client's own.
    ///   - now: for times that a query counts back from now.
    /// - Throws: a 404 or 400 that names what is wrong.
    package init(
        path: String, query: String?, headers: [HeaderField], project: String, now: Timestamp
    ) throws(GatewayError) {
        switch path {
        case "/traces": self = .traces(try TracesQuery(query, in: project, now: now))
        case "/traces/pointwise":
            var traces = try TracesQuery(query, in: project, now: now)
            traces.limit = 1
            self = .traces(traces)
        case Self.tracePath:
            let traces = try TracesQuery(query, in: project, now: now)
            guard let id = try QueryItems(query).value("insertion_id").flatMap({ InsertionID($0) }) else {
                throw .invalidQuery("insertion_id", "must be an insertion id, which is a UUID")
            }
            self = .trace(id, of: traces)
        default:
            let rollout = Rollout(try Self.rollout(in: path), project: project)
            self = .verdict(try VerdictQuery(rollout, query: query, headers: headers))
        }
    }

    /// The path of ``trace(_:of:)``.
    package static let tracePath = "/traces/completion"

    private static func rollout(in path: String) throws(GatewayError) -> String {
        let prefix = "/rollouts/"
        guard path.hasPrefix(prefix) else {
            throw .invalidRequest(
                404, code: "not_found",
                "There is no such page. Ask for /traces, /traces/pointwise or /rollouts/{rollout_id}.")
        }
        guard let bytes = PercentDecoding.bytes(path.dropFirst(prefix.count).utf8),
            let name = String(validating: bytes, as: UTF8.self),
            RolloutName.isValid(name)
        else {
            throw .invalidRequest(
                code: "invalid_path", "The rollout_id in the path \(RolloutName.rule).", param: "rollout_id")
        }
        return name
    }
}

/// A question about a rollout's verdict.
package struct VerdictQuery: Sendable, Equatable {
    package let rollout: Rollout
    /// Seconds for which the client waits for the rollout to be complete; nil: it does not say.
    package let wait: Int?
    /// Whether the client follows the rollout by server-sent events.
    package let wantsEvents: Bool
    /// The client's `If-None-Match`.
    package let entityTag: String?

    init(_ rollout: Rollout, query: String?, headers: [HeaderField]) throws(GatewayError) {
        self.rollout = rollout
        wantsEvents = HTTPSyntax.acceptsEvents(headers.first(named: "accept"))
        entityTag = headers.first(named: "if-none-match")
        let stated = try QueryItems(query).integer("wait", in: 0...Verdict.longestWait)
        // Who follows a rollout without saying for how long does so as long as may be.
        wait = stated ?? (wantsEvents ? Verdict.longestWait : nil)
    }
}
