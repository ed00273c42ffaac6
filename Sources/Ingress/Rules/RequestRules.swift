internal import Common
internal import HTTPTypes
internal import Logging
internal import Policies

/// What the operator's rules decide of requests, as one reading of their files has them.
final class RequestRules: Sendable {
    private let metadata: MetadataResolver
    private let limiter: RateLimiter
    private let routing: RoutingPolicy
    /// Whether there are rules on limits or routes.
    private let hasDecisions: Bool
    private let logger: Logger

    init(_ policies: Policies, headers: [MetadataHeader], names: CounterNames, logger: Logger) {
        metadata = MetadataResolver(headers: headers, policy: policies.metadata)
        limiter = RateLimiter(policies: policies, names: names)
        routing = policies.routing
        hasDecisions = !policies.rateLimits.isEmpty || !policies.routing.isEmpty
        self.logger = logger
    }

    /// The metadata of a request.
    /// - Parameter rollout: the ids of its path.
    /// - Throws: 400 for headers that cannot be read, and for metadata that breaks a rule.
    func metadata(
        of fields: HTTPFields, from account: Account?, _ method: HTTPRequest.Method, _ rollout: RolloutIDs?,
        id: InsertionID
    ) throws(GatewayError) -> ResolvedMetadata {
        let resolved = try metadata.resolve(fields, of: account)
        guard let violation = metadata.violation(of: resolved, rollout, method) else { return resolved }
        guard !metadata.enforces else { throw violation.error }
        // The log shows no text of the client.
        logger.notice(
            "metadata breaks a rule; the request passes, since `mode` is `audit`",
            metadata: [
                "insertion_id": "\(id)", "rule": "\(violation.rule.name)",
                "key": "\(violation.ruledKey ?? "an unknown one")",
            ])
        return resolved
    }

    /// Notes the limits that a job is counted on, and where its call goes. The rules say nothing of requests that send
    /// nothing, such as for a list of models.
    /// - Throws: 400 for a request that is larger than a limit and could never be let in.
    func decide(_ job: inout Job, for account: Account?) throws(GatewayError) {
        guard hasDecisions, job.method != "GET", job.method != "HEAD" else { return }
        let facts = RequestFacts(job, from: account)
        job.charges = try limiter.charges(of: job, facts)
        // A call to a URL that the client chose goes there.
        guard !routing.isEmpty, job.baseURL == nil else { return }
        var random = SystemRandomNumberGenerator()
        job.route = routing.route(for: facts, using: &random)
    }
}
