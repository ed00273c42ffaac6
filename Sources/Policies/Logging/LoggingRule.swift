internal import Common

/// One rule of a `gateway-logging-config`.
struct LoggingRule: PolicyRule {
    let id: String
    let when: RuleCondition
    /// Whether the requests that match may stand in traces.
    let isLogged: Bool
    /// The redaction of these requests in traces.
    let redaction: LogRedaction
    let location: ConfigurationProblem.Location
}
