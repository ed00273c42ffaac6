package import Common

/// The decision of the operator's rules on a request, and its reasons, told by the same conditions that decide.
package struct Explanation: Sendable {
    /// The extent of the part that a reader is shown.
    package enum View: Sendable {
        /// All rules, and what they ask for.
        case full
        /// The part for a client with a key. Rules for others alone are left out. The demands of rules that do not
        /// match are not shown. Nor is the state of a counter that belongs to a value which any client may claim.
        case own
    }

    package let facts: RequestFacts
    /// All metadata of the request, the ids of its path included.
    package let metadata: ResolvedMetadata
    /// The rule on metadata that the request breaks.
    package let violation: MetadataViolation?
    /// Whether a request that breaks one is refused.
    let refusesViolations: Bool
    /// The fingerprint of the rules' files; empty without files.
    let hash: String
    /// Whether the call goes where rules say. If not, it goes to the server that the client chose.
    let isRouted: Bool
    package var limits: [Limit]
    package let balancing: [Balancing]
    package let fallbacks: [Fallback]
    package let logging: Logging

    /// - Parameters:
    ///   - body: the request's, by which tokens are estimated.
    ///   - hasBaseURL: whether the client chose the server.
    ///   - terms: decide, besides the rules, whether the request stands in traces.
    package init(
        _ policies: Policies, _ facts: RequestFacts, body: [UInt8], hasBaseURL: Bool,
        terms: LoggingTerms = LoggingTerms(), view: View
    ) {
        self.facts = facts
        hash = policies.hash
        metadata = facts.metadata.adding(facts.rollout)
        violation = policies.metadata.violation(of: metadata)
        refusesViolations = policies.metadata.mode == .enforce
        isRouted = !hasBaseURL && facts.model != nil
        let explainer = RuleExplainer(facts: facts, isRouted: isRouted, view: view)
        let estimate = TokenEstimate(body: body)
        limits = policies.rateLimits.flatMap { explainer.limits(of: $0, estimate) }
        balancing = explainer.balancing(policies.routing.balancing)
        fallbacks = explainer.fallbacks(policies.routing.fallbacks)
        logging = explainer.logging(policies.logging, terms)
    }
}

extension Explanation {
    /// The answer that the ingress would give.
    package enum Decision: Sendable, Equatable {
        /// The request is queued.
        case admitted
        /// - Parameter rule: the rule that refuses it; nil where a setting does.
        case refused(status: Int, code: String, rule: String?)
        /// Nothing that is known refuses it, but not all counters are known.
        case unknown
    }

    package var decision: Decision {
        if let violation, refusesViolations {
            return .refused(status: 400, code: "metadata_refused", rule: violation.rule.name)
        }
        if logging.isRefused { return .refused(status: 400, code: GatewayError.tracedByProxy.code, rule: nil) }
        let enforced = limits.filter { $0.limit?.rule.isEnforced ?? false }
        if let limit = enforced.first(where: { $0.amount == nil }) {
            return .refused(status: 400, code: "never_admissible", rule: limit.name)
        }
        if let limit = enforced.first(where: { $0.isOver ?? false }) {
            return .refused(status: 429, code: "rate_limit_exceeded", rule: limit.name)
        }
        return enforced.contains { $0.isOver == nil } ? .unknown : .admitted
    }
}

extension ResolvedMetadata {
    /// The metadata with the ids of the path, which stand before all else.
    package func adding(_ rollout: RolloutIDs?) -> ResolvedMetadata {
        var all = self
        for (key, value) in rollout?.metadata ?? [] { all.set(key, to: value, from: .path) }
        return all
    }
}
