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

    /// What a request's trace shows: the operator's denial counts first, then the mode, then the client's wish.
    /// - Parameter wishesLog: false if a header of the request says no.
    package func logging(
        of facts: RequestFacts, _ mode: RequestLoggingMode, wishesLog: Bool
    ) -> ContentLogging {
        var redaction = LogRedaction()
        for place in index.candidates(for: facts) where rules[place].when.holds(for: facts) {
            guard rules[place].isLogged else { return .withheld }
            redaction.formUnion(rules[place].redaction)
        }
        let isLogged =
            switch mode {
            case .always: true
            case .never: false
            case .headerControlled: wishesLog
            }
        guard isLogged else { return .withheld }
        return redaction.isEmpty ? .whole : .redacted(redaction)
    }

    /// The rules that no one keeps where a LiteLLM proxy writes the traces, each with its place.
    package var rulesForOwnTraces: [(id: String, location: ConfigurationProblem.Location)] {
        rules.filter { !$0.isLogged || !$0.redaction.isEmpty }.map { ($0.id, $0.location) }
    }
}
