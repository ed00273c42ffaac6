internal import Common

/// A counter of a rate limit, as a person is told of it.
package struct RateCounter: Sendable {
    package let limit: RateLimit
    /// The rule's id with its placeholders filled in.
    package let name: String
    /// The properties that it is kept apart for, with their values; nil: it is that of requests without the value.
    package let parts: [(name: String, value: String?)]
    /// Whether the reader may know what it holds.
    package let mayShowUsage: Bool

    fileprivate init(_ limit: RateLimit, for facts: RequestFacts, view: Explanation.View) {
        self.limit = limit
        name = limit.name(for: facts)
        parts = limit.rule.appliesPer.map { ($0.name, $0.value(in: facts)) }
        mayShowUsage = view == .full || !limit.rule.isClaimable(by: facts)
    }
}

extension Policies {
    /// The counters on which some requests count, each once and in their order. In front of them, if all rules are
    /// shown, stand those of rules that have only one.
    package func counters(of requests: [RequestFacts], view: Explanation.View) -> [RateCounter] {
        var (found, known) = ([RateCounter](), Set<[UInt8]>())
        func add(_ limit: RateLimit, for facts: RequestFacts) {
            guard known.insert(limit.counter).inserted else { return }
            found.append(RateCounter(limit, for: facts, view: view))
        }
        if view == .full {
            let none = RequestFacts()
            for policy in rateLimits {
                for rule in policy.rules where rule.appliesPer.isEmpty { add(RateLimit(rule, for: none), for: none) }
            }
        }
        for facts in requests { for limit in rateLimits(for: facts) { add(limit, for: facts) } }
        return found
    }
}

extension RateLimitRule.Dimension {
    /// As a rule names it.
    fileprivate var name: String {
        switch self {
        case .user: "user"
        case .account: "account"
        case .model: "model"
        case .metadata(let key): "metadata." + key.text
        }
    }
}
