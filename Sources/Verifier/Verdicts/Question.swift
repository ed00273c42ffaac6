package import Common

/// A client's question to the verifier: a GET of `/traces`, `/traces/pointwise` or `/rollouts/{rollout_id}`. The
/// dashboard alone asks for `/traces/completion`.
package struct Question: Sendable {
    package var project: String
    /// Percent-encoded, without the gateway's own prefixes.
    package var path: String
    /// Percent-encoded, without its `?`.
    package var query: String?
    /// The client's: `Accept` and `If-None-Match` are looked at.
    package var headers: [HeaderField]
    /// The time at which the client stops waiting, by the verifier's steady clock, in milliseconds.
    package var deadline: Int64
    /// The time at which it came to the queue, by the same clock; nil: it came just now.
    package var asked: Int64?

    package init(
        project: String, path: String, query: String? = nil, headers: [HeaderField] = [], deadline: Int64,
        asked: Int64? = nil
    ) {
        self.asked = asked
        self.project = project
        self.path = path
        self.query = query
        self.headers = headers
        self.deadline = deadline
    }

    /// - Parameters:
    ///   - age: the time for which it has been in the queue.
    ///   - now: what the verifier's steady clock says.
    package init(_ job: Job, age: Duration, now: Int64) {
        self.init(
            project: job.project, path: job.path, query: job.query, headers: job.headers,
            deadline: now + job.remaining().milliseconds, asked: now - age.milliseconds)
    }

    enum Kind: Equatable {
        case traces
        case pointwise
        /// One completion's trace.
        case completion
        case rollout(String)
    }

    /// - Throws: a 404 or 400.
    func kind() throws(GatewayError) -> Kind {
        switch path {
        case "/traces": return .traces
        case "/traces/pointwise": return .pointwise
        case "/traces/completion": return .completion
        default: break
        }
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
        return .rollout(name)
    }

    var wantsEvents: Bool { headers.first(named: "accept")?.lowercased().contains("text/event-stream") == true }
}
