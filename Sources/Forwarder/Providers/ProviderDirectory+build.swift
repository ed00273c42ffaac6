package import Common
internal import Upstream

extension ProviderDirectory {
    /// Puts the table, the operator's accounts and keys, and the environment together.
    ///
    /// - Parameter environment: The process' variables; keys and base URLs are looked up by the names that the table
    ///   gives.
    /// - Throws: All problems together, each with its variable or its place in secrets.yaml.
    package init(
        table: ProviderTable, settings: Settings, secrets: Secrets, environment: [String: String]
    ) throws(ConfigurationError) {
        var builder = EndpointResolver(
            table: table, secrets: secrets, environment: environment, secretsFile: settings.secretsPath,
            own: OwnAddress(settings))
        endpoints = builder.build()
        if let name = settings.defaultProvider, name != Self.mock, endpoints[name] == nil {
            let hint =
                SpellingSuggestion.nearest(to: name, among: endpoints.keys.map(\.text).sorted()).map {
                    "; did you mean `\($0)`?"
                }
                ?? "; such as `openai`"
            builder.log.error(
                at: .environment("DEFAULT_PROVIDER"),
                "`\(name)` is no provider and no account of \(settings.secretsPath)\(hint)")
        }
        litellm = LiteLLMBackend(settings: settings, secrets: secrets, log: &builder.log)
        try builder.log.check()
        prefixes = Set(table.providers.keys)
        unsupported = table.unsupported
        defaultProvider = settings.defaultProvider
        clientAddresses = .clientChosen(
            allowLoopback: settings.allowLoopbackBaseURLs, allowPrivate: settings.allowPrivateBaseURLs)
        maximumDepth = settings.maxJSONDepth
        timeouts = UpstreamTimeouts(
            connect: settings.upstreamConnectTimeout, idle: settings.upstreamIdleTimeout, total: settings.requestTimeout
        )
        limits = UpstreamLimits(bodyBytes: settings.maxResponseBytes)
        listLimits = ModelListLimits(time: settings.modelListTimeout, bytes: settings.modelListBytes)
        connections = ConnectionUse(idleSeconds: settings.upstreamIdleConnectionSeconds)
    }
}
