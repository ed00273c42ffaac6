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
            table: table, secrets: secrets, environment: environment, secretsFile: settings.secrets.path,
            own: OwnAddress(settings))
        endpoints = builder.build()
        if let name = settings.backends.defaultProvider, name != Self.mock, endpoints[name] == nil {
            let hint =
                SpellingSuggestion.nearest(to: name, among: endpoints.keys.map(\.text).sorted()).map {
                    "; did you mean `\($0)`?"
                }
                ?? "; such as `openai`"
            builder.log.error(
                at: .environment("DEFAULT_PROVIDER"),
                "`\(name)` is neither a provider nor an account of \(settings.secrets.path)\(hint)")
        }
        litellm = LiteLLMBackend(settings: settings, secrets: secrets, log: &builder.log)
        try builder.log.check()
        prefixes = Set(table.providers.keys)
        unsupported = table.unsupported
        defaultProvider = settings.backends.defaultProvider
        clientAddresses = .clientChosen(
            allowLoopback: settings.calls.allowLoopbackBaseURLs, allowPrivate: settings.calls.allowPrivateBaseURLs)
        maximumDepth = settings.http.maxJSONDepth
        timeouts = UpstreamTimeouts(
            connect: settings.calls.connectTimeout, idle: settings.calls.idleTimeout,
            total: settings.calls.requestTimeout
        )
        limits = UpstreamLimits(bodyBytes: settings.http.maxResponseBytes)
        listLimits = ModelListLimits(time: settings.backends.modelListTimeout, bytes: settings.backends.modelListBytes)
        connections = ConnectionUse(idleSeconds: settings.calls.idleConnectionSeconds)
    }
}
