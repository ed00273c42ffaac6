internal import Common
internal import HTTPTypes
internal import JSON
internal import Logging
internal import Policies
internal import Queue

/// The decisions of the operator's rules on requests, as one reading of their files has them.
final class RequestRules: Sendable {
    private let policies: Policies
    /// Headers that are read beside `X-TFY-METADATA`.
    private let headers: [MetadataHeader]
    private let metadata: MetadataResolver
    private let limiter: RateLimiter
    private let routing: RoutingPolicy
    private let logging: LoggingPolicy
    private let loggingMode: RequestLoggingMode
    /// Whether a LiteLLM proxy writes the traces, with all that it is sent.
    private let isTracedByProxy: Bool
    /// Whether there are rules on limits or routes.
    private let hasDecisions: Bool
    private let audit: AuditLog?
    private let logger: Logger

    /// - Parameter audit: is told of what `mode: audit` lets pass.
    init(
        _ policies: Policies, settings: Settings, names: CounterNames, audit: AuditLog? = nil, logger: Logger
    ) {
        self.policies = policies
        headers = settings.http.metadataHeaders
        metadata = MetadataResolver(headers: headers, policy: policies.metadata)
        limiter = RateLimiter(policies: policies, names: names)
        routing = policies.routing
        (logging, loggingMode, isTracedByProxy) = (
            policies.logging, settings.http.requestLogging, settings.backends.litellmTraces
        )
        hasDecisions = !policies.rateLimits.isEmpty || !policies.routing.isEmpty
        self.audit = audit
        self.logger = logger
    }

    /// The metadata of a request.
    /// - Throws: 400 for headers that cannot be read.
    func metadata(of fields: HTTPFields, from account: Account?) throws(GatewayError) -> MetadataResolver.Resolved {
        try metadata.resolve(fields, of: account)
    }

    /// Looks at the metadata of a request, be it resolved or left by a hook, with the ids of its path.
    /// - Throws: 400 for what breaks a rule.
    func check(_ job: Job, _ method: HTTPRequest.Method) throws(GatewayError) {
        guard let violation = metadata.violation(of: job.metadata, job.rollout, method) else { return }
        guard !metadata.enforces else { throw violation.error }
        // Neither log shows a text of the client.
        let name = violation.rule.name
        audit?.noteSparsely(
            .ruleAudited, of: violation.ruledKey.map { "\(name)/\($0)" } ?? name, project: job.project,
            example: job.insertionID)
        logger.notice(
            "metadata breaks a rule; the request passes, since `mode` is `audit`",
            metadata: [
                "insertion_id": "\(job.insertionID)", "rule": "\(violation.rule.name)",
                "key": "\(violation.ruledKey ?? "an unknown one")",
            ])
    }

    /// Notes what a job's trace shows, the limits that the job is counted on, where its call goes, and which rules say
    /// so. The rules on limits and routes say nothing of requests that send nothing, such as for a list of models.
    /// - Parameters:
    ///   - job: withheld, if that is its client's wish.
    ///   - content: its body, if that is a JSON object.
    /// - Throws: 400 for a request that is larger than a limit and could never be let in. 400 also for one that a proxy
    ///   would trace against its client's or the operator's word.
    func decide(_ job: inout Job, with content: JSONObject?, for account: Account?) throws(GatewayError) {
        job.rules.hash = policies.hash
        let facts = RequestFacts(job, from: account)
        let said = logging.logging(of: facts, loggingMode, wishesLog: !job.isWithheld)
        job.logging = said.content
        job.rules.others += said.rules
        if job.isWithheld, isTracedByProxy { throw .tracedByProxy }
        job = job.withOwnSeal
        guard hasDecisions, job.method != "GET", job.method != "HEAD" else { return }
        job.charges = try limiter.charges(of: content, facts)
        job.rules.limits = job.charges.map(\.ruleID)
        // A call to a URL that the client chose goes there.
        guard !routing.isEmpty, job.baseURL == nil else { return }
        var random = RequestRandom(job.insertionID)
        job.route = routing.route(for: facts, using: &random)
    }

    /// The fingerprint of the rules' files; empty without files.
    var hash: String { policies.hash }

    /// The documents of the rules, with the places of each, in the order of the files.
    var documents: [PolicyDocument] { policies.documents }

    /// Explains what is decided of a described request.
    /// - Parameters:
    ///   - account: the one that sends it.
    ///   - usage: reads what counters hold; nil for those that cannot be read.
    func explanation(
        of request: RequestDescription, from account: Account?, view: Explanation.View, usage: UsageSource
    ) async -> Explanation {
        let facts = RequestFacts(
            caller: Caller(account), model: request.model,
            metadata: metadata.resolve(request.carried, of: account).metadata,
            rollout: request.rollout)
        var explanation = Explanation(
            policies, facts, body: request.body, hasBaseURL: request.hasBaseURL,
            terms: LoggingTerms(mode: loggingMode, denial: request.denial, isTracedByProxy: isTracedByProxy),
            view: view)
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

    /// The usage of the limits on which some requests count.
    /// - Parameter reader: reads the counters.
    func usage(of requests: [RequestFacts], view: Explanation.View, from reader: RateReader) async -> LimitUsage {
        // The log does not say where metadata comes from, so the operator is shown the counters of either.
        let others = view == .full ? requests.map(\.vouchedFor) : []
        let all = policies.counters(of: requests + others, view: view)
        let shown = all.filter(\.mayShowUsage)
        let read = Array(shown.prefix(LimitUsage.mostRead))
        let found = await UsageSource.redis(reader).usage(of: limiter.charges(of: read))
        var usage = LimitUsage(
            zip(read, found).compactMap { counter, usage in
                if case .known(let usage) = usage { LimitUsage.Counter(counter: counter, usage: usage) } else { nil }
            }, leftOut: shown.count - read.count)
        if case .unknown(let reason)? = found.first { usage.unknown = reason }
        usage.hidden = all.count - shown.count
        return usage
    }

    /// Reads a description as these rules' requests are read.
    func description(
        _ bytes: [UInt8], namesSender: Bool, maximumDepth: Int
    ) throws(GatewayError) -> RequestDescription {
        try RequestDescription(bytes, headers: headers, namesSender: namesSender, maximumDepth: maximumDepth)
    }
}
