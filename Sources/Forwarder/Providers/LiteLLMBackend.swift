internal import Common
internal import JSON
internal import Upstream

/// A LiteLLM proxy that takes the calls in the providers' stead.
///
/// The request is the one that a LiteLLM proxy accepts as it comes (LiteLLM 1.109.1): OpenAI's members, `metadata.tags`
/// and `api_key`. The Langfuse members are refused by a proxy without `allow_client_side_credentials`, so they are sent
/// only when the operator says so.
///
/// The operator's key goes with calls to models. On other paths the client's own key goes as the bearer token, and the
/// proxy decides what it may do.
struct LiteLLMBackend: Sendable {
    /// The provider's name in a `Target`.
    static let name = "litellm"

    private let base: BaseURL
    private let key: SecretString?
    private let traces: Traces?

    /// The data that LiteLLM needs in order to trace to the project's own Langfuse.
    private struct Traces: Sendable {
        let host: String
        let keys: [UTF8Text: LangfuseKeys]
    }

    /// Whether the operator's key opens the proxy.
    var hasKey: Bool { key != nil }

    init(base: BaseURL, key: SecretString?, langfuseHost: String? = nil, langfuseKeys: [UTF8Text: LangfuseKeys] = [:]) {
        self.base = base
        self.key = key
        self.traces = langfuseHost.map { Traces(host: $0, keys: langfuseKeys) }
    }

    func target(
        _ job: Job, body: JobBody, asksUsage: Bool, timeouts: UpstreamTimeouts, limits: UpstreamLimits
    ) throws(GatewayError) -> Target {
        try ForbiddenMembers.check(body.content, query: job.query, model: job.model)
        let isTraced = traces?.keys[job.project] != nil
        if isTraced, job.logging != .whole { throw .tracedByProxy }
        var body = body
        if let key = job.clientKey { try add(key, to: &body, of: job) }
        try body.edit { splice throws(GatewayError) in
            try splice.append(tags(of: job).map(JSONText.quoted), to: "tags", in: "metadata")
            addTraces(of: job, to: &splice)
        }
        // A proxy that traces the call asks for its usage itself.
        let hidesUsage = asksUsage && !isTraced && StreamOptions.add(to: &body)
        var added = hidesUsage ? [StreamOptions.member] : []
        // A proxy that traces knows the completion by its tags.
        if !isTraced, let object = body.object, object.member("metadata") == nil, !tags(of: job).isEmpty {
            added.append("metadata")
        }
        // No header chooses an organisation here: the proxy's own key pays, or the client's within the body.
        var headers = ForwardedHeaders.select(from: job.headers, usesServerKey: true, isJSON: body.isJSON)
        if let key = try authorization(of: job) { headers.append(KeyHeader.bearer.field(key)) }
        let request = UpstreamRequest(
            method: job.method, url: job.url(under: base.text), headers: headers, body: body.result, timeouts: timeouts,
            limits: limits)
        return Target(
            provider: Self.name, model: job.model, request: request, addedMembers: added, hidesUsage: hidesUsage,
            isTracedByBackend: isTraced)
    }

    /// Puts the client's key where the proxy looks for it: into the member or the form's field `api_key`.
    /// - Throws: 400 where there is no room for it: the operator would pay for a call that the client meant to pay for.
    private func add(_ key: SecretString, to body: inout JobBody, of job: Job) throws(GatewayError) {
        guard try !body.set("api_key", to: key.reveal()), self.key != nil, job.method == "POST",
            ServerKeyPolicy.isLent(job)
        else { return }
        throw .invalidRequest(
            code: "misplaced_api_key",
            "The LiteLLM proxy behind this gateway takes a client's key within a JSON object or a form only. Send the call so, or without a key.",
            param: "api_key")
    }

    private func authorization(of job: Job) throws(GatewayError) -> SecretString? {
        guard let key else { return nil }
        do throws(GatewayError) {
            try ServerKeyPolicy.check(job)
            return key
        } catch {
            guard let own = job.clientKey else { throw error }
            guard own.fitsHeader else { throw .unfitKey }
            return own
        }
    }

    /// The ids, and behind them the metadata if the proxy traces the call.
    private func tags(of job: Job) -> [String] {
        let ids = job.rollout?.tags(insertionID: job.insertionID) ?? []
        guard job.path == Provider.chatCompletions, traces?.keys[job.project] != nil else { return ids }
        return ids + job.metadata.entries.map(\.tag)
    }

    /// Adds the members for the trace to a completion. On other paths LiteLLM would refuse these members or pass them
    /// on.
    private func addTraces(of job: Job, to splice: inout JSONSplice) {
        guard job.path == Provider.chatCompletions, let traces, let keys = traces.keys[job.project] else { return }
        splice.set("langfuse_public_key", to: JSONText.quoted(keys.publicKey.reveal()))
        splice.set("langfuse_secret_key", to: JSONText.quoted(keys.secretKey.reveal()))
        splice.set("langfuse_host", to: JSONText.quoted(traces.host))
    }
}

extension LiteLLMBackend {
    /// The backend of the settings, if they name one. Notes in `log` the settings that do not go together.
    init?(settings: Settings, secrets: Secrets, log: inout ProblemLog) {
        guard let base = settings.backends.litellmURL else { return nil }
        var host: String?
        if settings.backends.litellmTraces {
            switch settings.backends.langfuse {
            case .url(let url): host = url.text
            case .embedded:
                log.error(
                    at: .environment("LITELLM_TRACES"),
                    "LiteLLM traces to a Langfuse server only; set LANGFUSE_HOST to its URL")
            }
        }
        self.init(
            base: base, key: settings.backends.litellmAPIKey, langfuseHost: host,
            langfuseKeys: secrets.projects.compactMapValues(\.langfuse))
    }
}
