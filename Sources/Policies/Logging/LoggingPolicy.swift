package import Common

/// The operator's rules on what stands in traces (`gateway-logging-config`). All that match a request count: one that
/// denies it decides, and what the others take out is joined.
package struct LoggingPolicy: Sendable {
    let rules: [LoggingRule]
    private let index: RuleIndex

    init(_ rules: [LoggingRule] = []) {
        self.rules = rules
        index = RuleIndex(rules.map(\.when))
    }

    package init() { self.init([]) }

    package var isEmpty: Bool { rules.isEmpty }

    /// The content of a request's trace: the operator's denial counts first, then the mode, then the client's wish.
    /// - Parameter wishesLog: false if a header of the request says no.
    /// - Returns: what it shows, and the ids of the rules that said so: one that denies it, or all that match.
    package func logging(
        of facts: RequestFacts, _ mode: RequestLoggingMode, wishesLog: Bool
    ) -> (content: ContentLogging, rules: [String]) {
        var redaction = LogRedaction()
        var applied: [String] = []
        for place in index.candidates(for: facts) where rules[place].when.holds(for: facts) {
            guard rules[place].isLogged else { return (.withheld, [rules[place].id]) }
            redaction.formUnion(rules[place].redaction)
            applied.append(rules[place].id)
        }
        let isLogged =
            switch mode {
            case .always: true
            case .never: false
            case .headerControlled: wishesLog
            }
        guard isLogged else { return (.withheld, applied) }
        return (redaction.isEmpty ? .whole : .redacted(redaction), applied)
    }

    /// The rules that no one keeps where a LiteLLM proxy writes the traces, each with its place.
    package var rulesForOwnTraces: [(id: String, location: ConfigurationProblem.Location)] {
        rules.filter { !$0.isLogged || !$0.redaction.isEmpty }.map { ($0.id, $0.location) }
    }
}
