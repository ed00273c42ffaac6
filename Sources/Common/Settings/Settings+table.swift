extension Settings {
    /// Every variable that the gateway reads from its environment, in the order of the documentation. Nothing else
    /// reads one, but for the keys of providers, which the table of providers and the secrets file name.
    package static let table: [Setting] =
        RedisSettings.table + SecretsSettings.table + BackendSettings.table + HTTPSettings.table + QueueSettings.table
        + TraceSettings.table + CallSettings.table + TraceStoreSettings.table + RequestLogSettings.table
        + MetricsSettings.table + ProcessSettings.table
}

/// The commands that a variable is for.
extension [Role] {
    /// Roles that share a Redis and a key, which the operator has to give.
    static let separate: [Role] = [.ingress, .forwarder, .verifier]
    /// Roles that clients call.
    static let facing: [Role] = [.serve, .ingress]
    /// Roles that listen.
    static let listening: [Role] = [.serve, .ingress, .tracestore]
    /// Roles that may run the embedded trace store.
    static let storing: [Role] = [.serve, .tracestore]
    /// Roles that call providers.
    static let calling: [Role] = [.serve, .forwarder]
    /// Roles that work on jobs: calls, or questions about rollouts.
    static let working: [Role] = [.serve, .forwarder, .verifier]
    /// Roles that take jobs off a queue: calls, or questions.
    static let taking: [Role] = [.serve, .forwarder, .verifier, .tracestore]
    /// Roles that reach Redis: all, a trace store for the request log alone.
    static let sharing: [Role] = Role.allCases
    /// Roles that put jobs on a queue or take them off it: all but the trace store.
    static let queueing: [Role] = [.serve, .ingress, .forwarder, .verifier]
    /// Roles that pass completions on.
    static let passing: [Role] = [.serve, .ingress, .forwarder]
    /// Roles that answer questions about rollouts.
    static let verifying: [Role] = [.serve, .verifier]
}
