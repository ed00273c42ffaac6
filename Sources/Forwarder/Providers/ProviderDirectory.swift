internal import Common
internal import Upstream

/// Knows every endpoint that a job can go to, and makes the call that takes it there. Pure: no I/O and no clock.
package struct ProviderDirectory: Sendable {
    /// The endpoints by a model's first segment: the operator's accounts, then the table's providers.
    let endpoints: [UTF8Text: ProviderEndpoint]
    /// The table's own prefixes, without the accounts.
    let prefixes: Set<UTF8Text>
    let unsupported: Set<UTF8Text>
    /// Takes the calls whose model names none. In `endpoints`, or `mock`.
    let defaultProvider: String?
    /// The proxy that takes all calls but the mock's and those to a client's own URL.
    let litellm: LiteLLMBackend?
    let clientAddresses: AddressPolicy
    let maximumDepth: Int
    let timeouts: UpstreamTimeouts
    let limits: UpstreamLimits
    /// The use of connections where an account does not say otherwise.
    let connections: ConnectionUse
    /// The bounds of a question for the default provider's models.
    let listLimits: ModelListLimits

    static let mock = "mock"

    /// Whether some call is made with a key of the operator's, for a client without one.
    var lendsKeys: Bool {
        if let litellm { return litellm.hasKey }
        return endpoints.values.contains { $0.key != nil }
    }

    /// The call that a job asks for.
    ///
    /// The job's deadline is not looked at: the code that makes the call sets `timeouts.total` to what is left.
    /// - Parameters:
    ///   - isTraced: whether a span is made of the call, which then has a use for the usage of a stream.
    ///   - listed: the default provider's models, where they decide (``listRequest(for:)``); nil if they are not asked
    ///     for.
    /// - Throws: The error for the client: 400 for a model, path or body that cannot be sent, 401 for a missing key,
    ///   404 when nothing takes the call.
    func resolve(_ job: Job, isTraced: Bool, listed: ListedModels? = nil) throws(GatewayError) -> Target {
        guard job.path.hasPrefix("/"), RequestPath.isSafe(job.path), job.query.map(RequestPath.isSafe(query:)) ?? true
        else {
            throw .invalidRequest(
                code: "invalid_path",
                "The path or query cannot be sent on: it has a dot segment, an empty segment, an encoded separator or an "
                    + "unencoded character. Send it percent-encoded and without `..`.")
        }
        let asksUsage = isTraced && StreamOptions.areWanted(for: job)
        if isMock(job) { return mockTarget(job, asksUsage: asksUsage) }
        let body = try JobBody(of: job, maximumDepth: maximumDepth)
        // The provider reads the model that the bytes name. An ingress of an earlier version has not looked for it
        // everywhere.
        let model = try RequestModel(content: body.content, method: job.method, path: job.path, query: job.query)
        var job = job
        job.model = model.name ?? job.model
        if let url = job.baseURL {
            if let name = model.name { job.query = model.query(job.query, renamed: clientModel(name)) }
            return try clientTarget(job, url: url, body: body)
        }
        if let litellm {
            var target = try litellm.target(job, body: body, asksUsage: asksUsage, timeouts: timeouts, limits: limits)
            target.request.connections = connections
            return target
        }
        return try directTarget(job, naming: model, body: body, listed: listed, asksUsage: asksUsage)
    }

    private func isMock(_ job: Job) -> Bool {
        if let model = job.model, model.contains("/") { return model.hasPrefix("\(Self.mock)/") }
        // A list of models is the default provider's. A look-up of a provider's model is that provider's.
        if let path = PathModel(method: job.method, path: job.path), path.isLookUp {
            if path.name.hasPrefix("\(Self.mock)/") { return true }
            if isPlaced(path.name) { return false }
        }
        return defaultProvider == Self.mock && litellm == nil && job.baseURL == nil
    }

    /// The call of a job to the mock. The mock reads its options from the body's model, so the job goes there as it is.
    /// Only headers and keys are left out, and the usage of a stream may be asked for.
    private func mockTarget(_ job: Job, asksUsage: Bool) -> Target {
        var bytes = job.body
        var hidesUsage = false
        if asksUsage, var body = try? JobBody(job.body, maximumDepth: maximumDepth) {
            hidesUsage = StreamOptions.add(to: &body)
            bytes = body.result
        }
        let request = UpstreamRequest(
            method: job.method, url: "mock:\(job.path)", body: bytes, timeouts: timeouts, limits: limits)
        return Target(provider: Self.mock, model: job.model, request: request, hidesUsage: hidesUsage)
    }

    private func directTarget(
        _ job: Job, naming named: RequestModel, body: JobBody, listed: ListedModels?, asksUsage: Bool
    ) throws(GatewayError) -> Target {
        let client = try clientKey(job, body)
        let (endpoint, model) = try endpoint(for: job, naming: named, body: body, client: client, listed: listed)
        guard let base = endpoint.base else {
            throw .invalidRequest(
                code: "provider_not_configured",
                "The gateway does not know where `\(endpoint.name)` is. \(endpoint.repair)",
                param: "model")
        }
        var body = body
        let credential = try endpoint.credential(client: client, base: base, isAuthenticated: job.account != nil)
        if credential.isServers {
            try ServerKeyPolicy.check(job, isDirect: true, insteadOfClients: client == nil ? nil : endpoint.name)
        }
        var job = job
        if let model {
            try body.rename(model: model)
            job.path = named.path?.path(renamed: model) ?? job.path
            job.query = named.query(job.query, renamed: model)
        }
        body.removeAPIKey()
        let hidesUsage = asksUsage && StreamOptions.add(to: &body, rejected: endpoint.rejectedMembers)
        var request = try request(job, under: base.text, of: endpoint.provider, with: credential, body: body)
        if let seconds = endpoint.idleConnectionSeconds { request.connections.idleSeconds = seconds }
        return Target(
            provider: endpoint.name, model: model, request: request,
            addedMembers: hidesUsage ? [StreamOptions.member] : [], hidesUsage: hidesUsage,
            repeatsOnClosedConnection: endpoint.repeatsOnClosedConnection)
    }

    /// A call to a URL that the client chose carries the client's own key and none of the server's.
    ///
    /// The reference gives URL and model to LiteLLM, which takes a known provider's prefix off: `openai/my-model` is
    /// `my-model` there. Accounts are the operator's names; to a client's own server they mean nothing. Nor is it asked
    /// for the usage of a stream: it may refuse members that it does not know.
    private func clientTarget(_ job: Job, url: String, body: JobBody) throws(GatewayError) -> Target {
        let base = try ClientBaseURL(url, addresses: clientAddresses).description
        var body = body
        let credential = try clientKey(job, body).map(Credential.client) ?? .none
        let model = job.model.map(clientModel)
        if let model { try body.rename(model: model) }
        body.removeAPIKey()
        var request = try request(job, under: base, of: .compatible("client"), with: credential, body: body)
        request.addresses = clientAddresses
        return Target(provider: "client", model: model, request: request)
    }

    /// The model's name without a known provider's prefix.
    private func clientModel(_ name: String) -> String {
        guard let slash = name.firstIndex(of: "/"), prefixes.contains(String(name[..<slash])) else { return name }
        return String(name[name.utf8.index(after: slash)...])
    }

    /// The client's own key: its bearer, else the body's `api_key`.
    private func clientKey(_ job: Job, _ body: JobBody) throws(GatewayError) -> SecretString? {
        if let key = job.clientKey { return key }
        return try body.apiKey()
    }

    private func request(
        _ job: Job, under base: String, of provider: Provider, with credential: Credential, body: JobBody
    ) throws(GatewayError) -> UpstreamRequest {
        var headers = ForwardedHeaders.select(
            from: job.headers, usesServerKey: credential.isServers, isJSON: body.isJSON)
        if let key = credential.key {
            guard key.fitsHeader else { throw .unfitKey }
            headers.append(provider.keyHeader(for: job.path).field(key))
            headers += provider.headers.map { HeaderField($0.name, $0.value.replacing("{key}", with: key.reveal())) }
        }
        let url = job.url(
            under: provider.base(base, for: job.path),
            path: job.path == Provider.chatCompletions ? provider.chatPath : nil)
        return UpstreamRequest(
            method: job.method, url: url, headers: headers, body: body.result, timeouts: timeouts, limits: limits,
            connections: connections)
    }
}
