internal import Common
internal import Forwarder
internal import Ingress
internal import Policies

extension Bootstrap {
    /// The operator's rules. They are read although the rest of the configuration is bad, so that all mistakes are told
    /// at once.
    /// - Parameter configuration: nil if it is bad.
    static func policies(
        _ configuration: Configuration?, role: Role, environment: [String: String]
    ) throws(ConfigurationError) -> Policies {
        let settings = configuration?.settings
        let path = configuration == nil ? environment["CONFIG_PATH"] : settings?.configPath
        guard role == .serve || role == .ingress, let path, !path.isEmpty else { return .none }
        let keys = configuration == nil ? environment["API_KEYS_PATH"] : settings?.secrets.apiKeysPath
        let asksForKeys = BuildExtensions.current.auth != nil || keys?.isEmpty == false
        let policies = try PolicyReader.read(ConfigurationFile.all(at: path), asksForKeys: asksForKeys)
        if settings?.backends.litellmTraces ?? false { try checkProxyTraces(policies.logging) }
        if let configuration, role.callsProviders {
            try ForwarderService.check(
                configuration: configuration, environment: environment,
                targets: policies.routing.modelsWithServerKeys.map { ($0.name, $0.location) })
        }
        return policies
    }

    /// A proxy that writes the traces keeps no rule on what stands in them.
    private static func checkProxyTraces(_ logging: LoggingPolicy) throws(ConfigurationError) {
        var log = ProblemLog()
        for (id, location) in logging.rulesForOwnTraces {
            log.error(
                at: location,
                "the rule `\(id)` cannot be kept with LITELLM_TRACES: the proxy writes the traces, with all that it is "
                    + "sent; remove the rule, or LITELLM_TRACES")
        }
        try log.check()
    }

    /// The rules as they were read at the start, and how they are read again.
    var rules: RulesFile {
        let (configuration, secretsFile, environment) = (configuration, secretsFile, environment)
        return RulesFile(policies, path: configuration.settings.configPath, stamps: policyStamps) {
            () throws(ConfigurationError) in
            var now = configuration
            now.secrets = secretsFile.current
            return try Self.policies(now, role: now.settings.role, environment: environment)
        }
    }
}
