internal import Common

extension ProviderDirectory {
    /// The endpoint that takes a job, and its name of the job's model; the model is nil where its name stays.
    /// - Parameters:
    ///   - client: the client's own key.
    ///   - listed: the default provider's models; nil if a name that no provider has is never the default's.
    func endpoint(
        for job: Job, naming named: RequestModel, body: JobBody, client: SecretString?, listed: ListedModels?
    ) throws(GatewayError) -> (endpoint: ProviderEndpoint, model: String?) {
        // A look-up of `meta-llama/Llama-3` asks the default for a model of its own.
        if let path = named.path, path.isLookUp, !isPlaced(path.name) {
            let endpoint = try defaultEndpoint()
            if let name = Self.prefix(of: path.name), let listed, !mayLookUp(path.name, begunBy: name, listed) {
                throw unknown(name, in: path.name, listed)
            }
            return (endpoint, nil)
        }
        if named.name == nil,
            let hidden = NestedModels.first(in: job.body, maximumDepth: maximumDepth, where: isElsewhere)
        {
            throw .invalidRequest(
                code: "unreadable_model",
                "The body names the model `\(hidden.excerpt)` where the gateway does not look for one, so the call would go to another provider. "
                    + "Name the provider in a `model` at the top of the body too, or leave its prefix out.",
                param: "model")
        }
        return try endpoint(for: job.model, client: client, listed: listed)
    }

    /// Whether the model's first segment names a provider or an account.
    func isPlaced(_ model: String) -> Bool {
        guard let name = Self.prefix(of: model) else { return false }
        return endpoints[name] != nil || unsupported.contains(name)
    }

    private static func prefix(of model: String) -> String? {
        model.firstIndex(of: "/").map { String(model[..<$0]) }
    }

    /// Whether the model belongs to another provider than the default.
    private func isElsewhere(_ model: String) -> Bool {
        isPlaced(model) && !(defaultProvider.map { model.hasPrefix("\($0)/") } ?? false)
    }

    /// The endpoint that takes a model, and its name of the model.
    private func endpoint(
        for model: String?, client: SecretString?, listed: ListedModels?
    ) throws(GatewayError) -> (endpoint: ProviderEndpoint, model: String?) {
        guard let model else { return (try defaultEndpoint(), nil) }
        guard let slash = model.firstIndex(of: "/") else {
            if let defaultProvider, let endpoint = endpoints[defaultProvider] {
                return (endpoint, endpoint.provider.modelRule.apply(to: model))
            }
            throw missingProvider(in: model)
        }
        let name = String(model[..<slash])
        let rest = String(model[model.utf8.index(after: slash)...])
        if case .known(let models) = listed, models.contains(model), !isCallable(name, client: client),
            let fallback = defaultProvider.flatMap({ endpoints[$0] })
        {
            return (fallback, fallback.provider.modelRule.apply(to: model))
        }
        guard let endpoint = endpoints[name] else { throw unknown(name, in: model, listed) }
        guard !rest.isEmpty else {
            throw .invalidRequest(
                code: "invalid_model",
                "The model `\(model.excerpt)` names a provider and no model. Write it as `\(name)/<model>`.",
                param: "model")
        }
        if endpoint.base == nil, name == Self.litellmsOwn { throw keptPrefix(rest, in: model) }
        return (endpoint, endpoint.provider.modelRule.apply(to: rest))
    }

    /// Whether the default provider may be asked for a model whose first segment names no provider. It may if it lists
    /// the model. If it tells of no list, it may if the model was certainly not meant for another provider. A mistyped
    /// name of another provider must not lead the client's key to the default.
    private func mayLookUp(_ model: String, begunBy name: String, _ listed: ListedModels) -> Bool {
        switch listed {
        case .known(let models): models.contains(model)
        case .unknown, .unavailable: suggestion(for: name) == nil
        }
    }

    /// The name of a provider or account that was perhaps meant.
    private func suggestion(for name: String) -> String? {
        let names = endpoints.keys.map(\.text) + unsupported.map(\.text)
        return SpellingSuggestion.nearest(to: name, among: names.sorted() + [Self.mock])
    }

    private func defaultEndpoint() throws(GatewayError) -> ProviderEndpoint {
        if let defaultProvider, let endpoint = endpoints[defaultProvider] { return endpoint }
        throw .invalidRequest(
            404, code: "no_backend",
            "No backend takes this call: it names no model, and the gateway has no default. Name a `model` in a JSON body, or "
                + "have the operator set LITELLM_URL or DEFAULT_PROVIDER.")
    }

    private func missingProvider(in model: String) -> GatewayError {
        .invalidRequest(
            code: "missing_provider",
            "The model `\(model.excerpt)` names no provider. Write the provider in front, "
                + "`<provider>/\(model.excerpt)`, "
                + "or have the operator set DEFAULT_PROVIDER. If it was there, the client took it off, as LiteLLM's "
                + "does: "
                + "there write `openai/<provider>/\(model.excerpt)` or `litellm_proxy/<provider>/\(model.excerpt)`.",
            param: "model")
    }

    private func unknown(_ name: String, in model: String, _ listed: ListedModels?) -> GatewayError {
        if unsupported.contains(name) {
            return .invalidRequest(
                code: "unsupported_provider",
                "The provider `\(name)` has no OpenAI-compatible chat endpoint, so the gateway cannot call it. Have the "
                    + "operator put a LiteLLM proxy behind the gateway (LITELLM_URL).",
                param: "model")
        }
        let hint = suggestion(for: name).map { " Did you mean `\($0)/…`?" } ?? ""
        if listed == .unavailable, let defaultProvider {
            return GatewayError(
                status: 503, type: "server_error", code: "model_list_unavailable",
                message:
                    "The model `\(model.excerpt)` begins with `\(name.excerpt)/`, which is not a provider or account of this "
                    + "gateway, and the default provider `\(defaultProvider)` could not be asked whether it lists the "
                    + "model.\(hint) Try again later.",
                param: "model", retryAfter: 10, shouldRetry: true)
        }
        let list: String
        switch (listed, defaultProvider) {
        case (.known?, let name?): list = ", and the default provider `\(name)` does not list the model"
        case (.unknown?, let name?): list = ", and the default provider `\(name)` tells of no list of its models"
        default: list = ""
        }
        return .invalidRequest(
            code: "unknown_provider",
            "The model `\(model.excerpt)` begins with `\(name.excerpt)/`, which is not a provider or account of this "
                + "gateway\(list).\(hint) "
                + "Write it as `<provider>/<model>`.",
            param: "model")
    }

    /// The prefix by which LiteLLM's client is told to pass the rest of a name on; a provider, too, where the operator
    /// says where it is.
    private static let litellmsOwn = "litellm_proxy"

    private func keptPrefix(_ rest: String, in model: String) -> GatewayError {
        let right = rest.contains("/") ? rest : "<provider>/\(rest)"
        return .invalidRequest(
            code: "provider_not_configured",
            "The model `\(model.excerpt)` begins with `\(Self.litellmsOwn)/`, which LiteLLM's client takes off and "
                + "this "
                + "client did not. Leave it out: `\(right.excerpt)`.",
            param: "model")
    }
}
