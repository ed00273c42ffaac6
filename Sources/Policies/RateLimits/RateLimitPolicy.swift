internal import Common

/// The rate limits of a configuration, compiled for finding those that a request meets.
package struct RateLimitPolicy: Sendable {
    /// The choice of the matching rules that count.
    package enum Evaluation: String, CaseIterable, Sendable {
        case all
        case firstMatch = "first_match"
    }

    package let rules: [RateLimitRule]
    let evaluation: Evaluation
    private let index: RuleIndex

    init(_ rules: [RateLimitRule], evaluation: Evaluation) {
        self.rules = rules
        self.evaluation = evaluation
        index = RuleIndex(rules.map(\.when))
    }

    /// Adds the limits that a request meets, in the order of the rules.
    func addLimits(for facts: RequestFacts, to found: inout [RateLimit]) {
        for place in index.candidates(for: facts) where rules[place].when.holds(for: facts) {
            found.append(RateLimit(rules[place], for: facts))
            if evaluation == .firstMatch { break }
        }
    }
}
