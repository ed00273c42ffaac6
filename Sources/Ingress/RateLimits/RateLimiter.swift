internal import Common
internal import JSON
internal import Policies

/// Finds the rate limits that a job meets. They are counted in the step that queues it.
struct RateLimiter: Sendable {
    let policies: Policies
    let names: CounterNames

    /// The job's charges, on each of its limits.
    /// - Parameter content: its body; nil if that is not a JSON object.
    /// - Throws: 400 for a request that is larger than a limit and could never be let in.
    func charges(of content: JSONObject?, _ facts: RequestFacts) throws(GatewayError) -> [RateCharge] {
        let limits = policies.rateLimits(for: facts)
        guard !limits.isEmpty else { return [] }
        var known: TokenEstimate?
        func estimate() -> TokenEstimate {
            let estimate = known ?? TokenEstimate(content)
            known = estimate
            return estimate
        }
        var charges: [RateCharge] = []
        charges.reserveCapacity(limits.count)
        for limit in limits {
            let (rule, name) = (limit.rule, limit.name(for: facts))
            let amount = limit.amount(estimate)
            guard amount != nil || !rule.isEnforced else {
                throw GatewayError(neverWithin: name, rule, estimate().input)
            }
            charges.append(charge(for: limit, named: name, amount: amount ?? rule.limit))
        }
        return charges
    }

    /// The charges that an explained request would have: those of the limits whose usage may be shown.
    func charges(of explanation: Explanation) -> [RateCharge?] {
        explanation.limits.map { explained in
            guard let limit = explained.limit, let amount = explained.amount, explained.mayShowUsage else { return nil }
            return charge(for: limit, named: explained.name, amount: amount)
        }
    }

    /// Charges that count nothing, to read some counters.
    func charges(of counters: [RateCounter]) -> [RateCharge] {
        counters.map { charge(for: $0.limit, named: $0.name, amount: 0) }
    }

    private func charge(for limit: RateLimit, named name: String, amount: Int) -> RateCharge {
        let rule = limit.rule
        return RateCharge(
            rule: name, ruleID: rule.id, unit: rule.unit, counter: names.name(of: limit.counter), amount: amount,
            limit: rule.limit, window: rule.window.milliseconds, isEnforced: rule.isEnforced)
    }
}

extension GatewayError {
    fileprivate init(neverWithin name: String, _ rule: RateLimitRule, _ input: Int) {
        self = .invalidRequest(
            code: "never_admissible",
            "The request has some \(input) tokens, and the operator's rate limit `\(name)` lets in \(rule.limit) a "
                + "\(rule.window.rawValue): it could never be let in. Send a shorter one.")
        self.rule = name
        headers = [AppliedConfigurations([("rate_limit", [name])]).header].compactMap(\.self)
    }
}
