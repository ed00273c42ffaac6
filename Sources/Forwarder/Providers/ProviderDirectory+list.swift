internal import Common
internal import Upstream

extension ProviderDirectory {
    private static let listPath = "/models"

    /// The request for the default provider's models, if these decide which provider takes a job. They do if the first
    /// segment of its model names none that can be called.
    ///
    /// The client's key does not go with it: the answer decides which provider that key is for.
    /// - Returns: the model and the request; nil if the list decides nothing.
    func listRequest(for job: Job) -> (model: String, request: UpstreamRequest)? {
        guard litellm == nil, job.baseURL == nil, let defaultProvider, let endpoint = endpoints[defaultProvider],
            let base = endpoint.base,
            let model = job.model ?? PathModel(method: job.method, path: job.path)?.name,
            let slash = model.firstIndex(of: "/")
        else { return nil }
        let name = String(model[..<slash])
        guard name != Self.mock, name != defaultProvider, !isCallable(name, client: job.clientKey) else { return nil }
        let provider = endpoint.provider
        var headers = ForwardedHeaders.select(from: [], usesServerKey: true, isJSON: false)
        headers.append(HeaderField("accept", "application/json"))
        if let key = endpoint.key?.secret(for: base), key.fitsHeader {
            headers.append(provider.keyHeader(for: Self.listPath).field(key))
            headers += provider.headers.map { HeaderField($0.name, $0.value.replacing("{key}", with: key.reveal())) }
        }
        var timeouts = timeouts
        timeouts.total = listLimits.time
        let request = UpstreamRequest(
            method: "GET", url: provider.base(base.text, for: Self.listPath) + Self.listPath, headers: headers,
            timeouts: timeouts, limits: UpstreamLimits(bodyBytes: listLimits.bytes), connections: connections)
        return (model, request)
    }

    /// Bytes of the shortest key that a provider gives out. Clients of servers that ask for no key send a placeholder
    /// such as `EMPTY`, since their SDK insists on one.
    private static let shortestKey = 20

    /// Whether a provider or account can be called, with the client's key or one of the operator's.
    func isCallable(_ name: String, client: SecretString?) -> Bool {
        guard let endpoint = endpoints[name], let base = endpoint.base else { return false }
        let client = client.flatMap { $0.reveal().utf8.count < Self.shortestKey ? nil : $0 }
        return (try? endpoint.credential(client: client, base: base)) != nil
    }
}

/// The bounds of a question for a list of models.
struct ModelListLimits: Sendable {
    /// The time from the question to the last byte of the answer (`MODEL_LIST_TIMEOUT`).
    var time = Duration.seconds(5)
    /// The largest answer (`MODEL_LIST_BYTES`).
    var bytes = 8 << 20
}
