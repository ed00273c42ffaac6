internal import Common
internal import HTTPTypes
internal import Logging
internal import Policies

/// What the operator's rules decide of requests, as one reading of their files has them.
final class RequestRules: Sendable {
    private let policies: Policies
    /// Headers that are read beside `X-TFY-METADATA`.
    private let headers: [MetadataHeader]
    private let metadata: MetadataResolver
    private let limiter: RateLimiter
    private let routing: RoutingPolicy
    /// Whether there are rules on limits or routes.
    private let hasDecisions: Bool
    private let logger: Logger

    init(_ policies: Policies, headers: [MetadataHeader], names: CounterNames, logger: Logger) {
        self.policies = policies
        self.headers = headers
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

    /// Notes the limits that a job is counted on, where its call goes, and which rules say so. The rules say nothing of
    /// requests that send nothing, such as for a list of models.
    /// - Throws: 400 for a request that is larger than a limit and could never be let in.
    func decide(_ job: inout Job, for account: Account?) throws(GatewayError) {
        job.rules.hash = policies.hash
        guard hasDecisions, job.method != "GET", job.method != "HEAD" else { return }
        let facts = RequestFacts(job, from: account)
        job.charges = try limiter.charges(of: job, facts)
        job.rules.limits = job.charges.map(\.ruleID)
        // A call to a URL that the client chose goes there.
        guard !routing.isEmpty, job.baseURL == nil else { return }
        var random = SystemRandomNumberGenerator()
        job.route = routing.route(for: facts, using: &random)
    }

    /// Explains what is decided of a described request.
    /// - Parameters:
    ///   - account: the one that sends it.
    ///   - usage: reads what counters hold; nil for those that cannot be read.
    func explanation(
        of request: RequestDescription, from account: Account?, view: Explanation.View, usage: UsageSource
    ) async -> Explanation {
        let facts = RequestFacts(
            caller: Caller(account), model: request.model, metadata: metadata.resolve(request.carried, of: account),
            rollout: request.rollout)
        var explanation = Explanation(
            policies, facts, body: request.body, hasBaseURL: request.hasBaseURL, view: view)
        let charges = limiter.charges(of: explanation)
        let found = await usage.usage(of: charges.compactMap(\.self))
        var place = 0
        for (index, charge) in charges.enumerated() {
            let limit = explanation.limits[index]
            guard limit.limit != nil else { continue }
            guard charge != nil else {
                explanation.limits[index].usage = .unknown(reason: UsageSource.reason(without: limit))
                continue
            }
            explanation.limits[index].usage = found[place]
            place += 1
        }
        return explanation
    }

    /// Reads a description as these rules' requests are read.
    func description(
        _ bytes: [UInt8], namesSender: Bool, maximumDepth: Int
    ) throws(GatewayError) -> RequestDescription {
        try RequestDescription(bytes, headers: headers, namesSender: namesSender, maximumDepth: maximumDepth)
    }
}
