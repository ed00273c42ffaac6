internal import Common

extension ProviderDirectory {
    /// The endpoint that takes a job, and its name of the job's model; the model is nil where its name stays.
    func endpoint(
        for job: Job, naming named: RequestModel, body: JobBody
    ) throws(GatewayError) -> (endpoint: ProviderEndpoint, model: String?) {
        // A look-up of `meta-llama/Llama-3` asks the default for a model of its own.
        if let path = named.path, path.isLookUp, !isPlaced(path.name) { return (try defaultEndpoint(), nil) }
        if named.name == nil,
            let hidden = NestedModels.first(in: job.body, maximumDepth: maximumDepth, where: isElsewhere)
        {
            throw .invalidRequest(
                code: "unreadable_model",
                "The body names the model `\(hidden.excerpt)` where the gateway does not look for one, so the call would go to another provider. "
                    + "Name the provider in a `model` at the top of the body too, or leave its prefix out.",
                param: "model")
        }
        return try endpoint(for: job.model)
    }

    /// Whether the model's first segment names a provider or an account.
    func isPlaced(_ model: String) -> Bool {
        guard let slash = model.firstIndex(of: "/") else { return false }
        let name = String(model[..<slash])
        return endpoints[name] != nil || unsupported.contains(name)
    }

    /// Whether the model belongs to another provider than the default.
    private func isElsewhere(_ model: String) -> Bool {
        isPlaced(model) && !(defaultProvider.map { model.hasPrefix("\($0)/") } ?? false)
    }

    /// The endpoint that takes a model, and its name of the model.
    func endpoint(for model: String?) throws(GatewayError) -> (endpoint: ProviderEndpoint, model: String?) {
        guard let model else { return (try defaultEndpoint(), nil) }
        guard let slash = model.firstIndex(of: "/") else {
            if let defaultProvider, let endpoint = endpoints[defaultProvider] {
                return (endpoint, endpoint.provider.modelRule.apply(to: model))
            }
            throw .invalidRequest(
                code: "missing_provider",
                "The model `\(model.excerpt)` names no provider. Write the provider in front, such as `openai/\(model.excerpt)`, "
                    + "or have the operator set DEFAULT_PROVIDER.",
                param: "model")
        }
        let name = String(model[..<slash])
        let rest = String(model[model.utf8.index(after: slash)...])
        guard let endpoint = endpoints[name] else { throw unknown(name, in: model) }
        guard !rest.isEmpty else {
            throw .invalidRequest(
                code: "invalid_model",
                "The model `\(model.excerpt)` names a provider and no model. Write it as `\(name)/<model>`.",
                param: "model")
        }
        return (endpoint, endpoint.provider.modelRule.apply(to: rest))
    }

    private func defaultEndpoint() throws(GatewayError) -> ProviderEndpoint {
        if let defaultProvider, let endpoint = endpoints[defaultProvider] { return endpoint }
        throw .invalidRequest(
            404, code: "no_backend",
            "No backend takes this call: it names no model, and the gateway has no default. Name a `model` in a JSON body, or "
                + "have the operator set LITELLM_URL or DEFAULT_PROVIDER.")
    }

    private func unknown(_ name: String, in model: String) -> GatewayError {
        if unsupported.contains(name) {
            return .invalidRequest(
                code: "unsupported_provider",
                "The provider `\(name)` has no OpenAI-compatible chat endpoint, so the gateway cannot call it. Have the "
                    + "operator put a LiteLLM proxy behind the gateway (LITELLM_URL).",
                param: "model")
        }
        let names = endpoints.keys.map(\.text).sorted() + [Self.mock]
        let hint = SpellingSuggestion.nearest(to: name, among: names).map { " Did you mean `\($0)/…`?" } ?? ""
        return .invalidRequest(
            code: "unknown_provider",
            "The model `\(model.excerpt)` begins with `\(name.excerpt)/`, which is no provider or account of this gateway.\(hint) "
                + "Write it as `<provider>/<model>`, such as `openai/gpt-4o` or `openrouter/\(model.excerpt)`.",
            param: "model")
    }
}
