package import Common

/// The terms that decide on a request's place in traces, beside the operator's rules.
package struct LoggingTerms: Sendable {
    /// `REQUEST_LOGGING_MODE`.
    package var mode: RequestLoggingMode
    /// The switch with which the request says no; nil if none does.
    package var denial: LoggingSwitch.Carrier?
    /// Whether a LiteLLM proxy writes the traces, so that a request which is to stay out of them is refused.
    package var isTracedByProxy: Bool

    package init(
        mode: RequestLoggingMode = .headerControlled, denial: LoggingSwitch.Carrier? = nil,
        isTracedByProxy: Bool = false
    ) {
        self.mode = mode
        self.denial = denial
        self.isTracedByProxy = isTracedByProxy
    }
}

extension Explanation {
    /// The parts of the request that its trace would show, and what decides on them.
    package struct Logging: Sendable {
        package enum Decider: Sendable, Equatable {
            /// The first rule that matches and denies it.
            case rule(id: String)
            case setting(RequestLoggingMode)
            /// The request's own word.
            case switchedOff(LoggingSwitch.Carrier)
        }

        /// The redaction by rules, as the reader may see it.
        package struct Redaction: Sendable {
            package let presets: [String]
            /// The expressions, each nil where it is not for the reader, and what stands in the place of a match.
            package let patterns: [(text: String?, replacement: String)]

            fileprivate init(_ redaction: LogRedaction, _ view: View) {
                presets = redaction.presets.map(\.text)
                patterns = redaction.patterns.map { (view == .full ? $0.text.text : nil, $0.replacement.text) }
            }
        }

        /// One rule on logging.
        package struct Rule: Sendable {
            package let id: String
            package let unmet: [UnmetPart]
            /// Whether it lets the requests that match stand in traces.
            package let isLogged: Bool
            /// Nil where the rule does not match, or takes nothing out.
            package let redaction: Redaction?

            package var matches: Bool { unmet.isEmpty }
        }

        package let content: ContentLogging
        package let decider: Decider
        /// Of all rules that match; nil where nothing is taken out.
        package let redaction: Redaction?
        package let rules: [Rule]
        /// Whether the request is refused, since the proxy behind the gateway would trace it.
        package let isRefused: Bool
    }
}

extension RuleExplainer {
    func logging(_ policy: LoggingPolicy, _ terms: LoggingTerms) -> Explanation.Logging {
        let content = policy.logging(of: facts, terms.mode, wishesLog: terms.denial == nil).content
        var redaction: Explanation.Logging.Redaction?
        if case .redacted(let all) = content { redaction = Explanation.Logging.Redaction(all, view) }
        return Explanation.Logging(
            content: content, decider: decider(policy, terms), redaction: redaction,
            rules: policy.rules.filter(isShown).map(explained),
            isRefused: terms.isTracedByProxy && content == .withheld)
    }

    private func decider(_ policy: LoggingPolicy, _ terms: LoggingTerms) -> Explanation.Logging.Decider {
        if let denial = policy.rules.first(where: { !$0.isLogged && $0.when.holds(for: facts) }) {
            return .rule(id: denial.id)
        }
        if terms.mode == .headerControlled, let carrier = terms.denial { return .switchedOff(carrier) }
        return .setting(terms.mode)
    }

    private func explained(_ rule: LoggingRule) -> Explanation.Logging.Rule {
        let unmet = unmet(rule.when)
        let isShown = unmet.isEmpty && !rule.redaction.isEmpty
        return Explanation.Logging.Rule(
            id: rule.id, unmet: unmet, isLogged: rule.isLogged,
            redaction: isShown ? Explanation.Logging.Redaction(rule.redaction, view) : nil)
    }
}
