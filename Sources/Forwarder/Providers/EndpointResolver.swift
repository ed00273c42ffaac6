internal import Common

/// Works out, once at start, where each provider and account is and which key belongs to it. It goes on after a
/// problem, so that all problems are reported.
struct EndpointResolver {
    let table: ProviderTable
    let secrets: Secrets
    let environment: [String: String]
    /// The name of the secrets' file in errors.
    let secretsFile: String
    /// The address at which this process itself is called; nil if it is not called.
    let own: OwnAddress?
    var log = ProblemLog()
    /// For each key variable, the origins that the operator moved one of its providers to.
    private var moved: [UTF8Text: Set<UTF8Text>] = [:]

    init(
        table: ProviderTable, secrets: Secrets, environment: [String: String], secretsFile: String,
        own: OwnAddress? = nil
    ) {
        self.secretsFile = secretsFile
        self.own = own
        self.table = table
        self.secrets = secrets
        self.environment = environment
    }

    mutating func build() -> [UTF8Text: ProviderEndpoint] {
        for prefix in secrets.providerKeys.keys.map(\.text).sorted() where table.providers[prefix] == nil {
            log.error(
                at: secrets.providerKeyLocations[prefix] ?? .file(secretsFile),
                "provider_keys: there is no provider `\(prefix)`\(hint(for: prefix))")
        }
        var bases: [UTF8Text: BaseURL] = [:]
        for provider in table.providers.values.sorted(by: { $0.prefix < $1.prefix }) {
            bases[provider.prefix] = base(of: provider)
        }
        var providers: [UTF8Text: ProviderEndpoint] = [:]
        for (prefix, provider) in table.providers {
            providers[prefix] = endpoint(provider, base: bases[prefix])
        }
        var endpoints = providers
        for account in secrets.accounts.values.sorted(by: { $0.name < $1.name }) {
            guard var endpoint = endpoint(account, among: providers) else { continue }
            endpoint.idleConnectionSeconds = account.idleConnectionSeconds
            endpoint.repeatsOnClosedConnection = account.repeatsOnClosedConnection
            endpoint.ownRejectedMembers = Set(texts: account.rejectedMembers)
            endpoints[account.name] = endpoint
        }
        return endpoints
    }

    /// The provider's URL: a variable's, else the table's with its variables filled in; nil when that is not known.
    private mutating func base(of provider: Provider) -> BaseURL? {
        if let (variable, value) = environment.firstSet(of: provider.baseVariables) {
            guard var base = BaseURL(value) else {
                log.error(
                    at: .environment(variable),
                    "must be an http or https URL without user, query and fragment, such as `https://api.example.com/v1`"
                )
                return nil
            }
            if own?.isMeant(by: base) ?? false { log.error(at: .environment(variable), OwnAddress.complaint) }
            if !base.path.hasSuffix(provider.baseSuffix), let whole = BaseURL(base.text + provider.baseSuffix) {
                base = whole
            }
            for key in provider.keyVariables { moved[key, default: []].insert(base.origin) }
            return base
        }
        do throws(URLTemplate.Failure) {
            return BaseURL(try provider.url?.filled(from: environment) ?? "")
        } catch {
            if case .unusable(let variable) = error {
                log.error(
                    at: .environment(variable),
                    "can only hold letters, digits, `-`, `_` and `.`: it is a part of the URL of `\(provider.prefix)`")
            }
            return nil
        }
    }

    private mutating func endpoint(_ provider: Provider, base: BaseURL?) -> ProviderEndpoint {
        ProviderEndpoint(
            name: provider.prefix, provider: provider, base: base, repair: repair(provider),
            key: base.flatMap { key(of: provider, at: $0) },
            takesClientKeys: true)
    }

    /// The server's key of a provider.
    ///
    /// Several providers may share a variable. Once the operator has moved one of them to another origin, the
    /// variable's key belongs to that origin. The other providers, which would carry it elsewhere, then have no key.
    private mutating func key(of provider: Provider, at base: BaseURL) -> BoundKey? {
        if let key = secrets.providerKeys[provider.prefix] { return BoundKey(key, for: base) }
        let usable = provider.keyVariables.filter { moved[$0]?.contains(base.origin) ?? true }
        guard let (variable, value) = environment.firstSet(of: usable) else { return nil }
        let key = SecretString(value)
        guard key.fitsHeader else {
            log.error(
                at: .environment(variable),
                "the key has characters that no HTTP header can carry; write it without spaces and line breaks")
            return nil
        }
        return BoundKey(key, for: base)
    }

    private mutating func endpoint(
        _ account: ProviderAccount, among providers: [UTF8Text: ProviderEndpoint]
    ) -> ProviderEndpoint? {
        if account.name == ProviderDirectory.mock {
            log.error(
                at: account.location,
                "an account cannot be named `mock`: models that begin so are the built-in mock's; choose another name")
            return nil
        }
        switch account.destination {
        case .baseURL(let base):
            if own?.isMeant(by: base) ?? false {
                log.error(at: account.location, "account `\(account.name)`: its `base_url` \(OwnAddress.complaint)")
            }
            return ProviderEndpoint(
                name: account.name, provider: .compatible(account.name), base: base, repair: "",
                key: account.key.map { BoundKey($0, for: base) },
                takesClientKeys: account.key == nil)
        case .provider(let prefix):
            guard let kind = providers[prefix] else {
                log.error(
                    at: account.location,
                    "account `\(account.name)`: there is no provider `\(prefix)`\(hint(for: prefix))")
                return nil
            }
            var key = kind.key
            if let own = account.key { key = kind.base.map { BoundKey(own, for: $0) } }
            return ProviderEndpoint(
                name: account.name, provider: kind.provider, base: kind.base, repair: kind.repair, key: key,
                takesClientKeys: account.key == nil)
        }
    }

    /// Advice on how the operator can say where a provider is.
    private func repair(_ provider: Provider) -> String {
        let variables = provider.baseVariables.prefix(1) + (provider.url?.variables(missingFrom: environment) ?? [])
        let set =
            variables.isEmpty ? "" : "set \(variables.joined(separator: " or ")) in the gateway's environment, or "
        return "Have the operator \(set)add an account with its `base_url` to secrets.yaml."
    }

    private func hint(for prefix: String) -> String {
        SpellingSuggestion.nearest(to: prefix, among: table.providers.keys.map(\.text).sorted()).map {
            "; did you mean `\($0)`?"
        }
            ?? ""
    }
}
