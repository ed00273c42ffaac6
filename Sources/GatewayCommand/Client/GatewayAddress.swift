internal import ArgumentParser
internal import Common
internal import Upstream

/// The gateway that a command asks, and the project for which it asks.
struct GatewayAddress: ParsableArguments {
    @Option(
        help: """
            The gateway's URL, as it is or as an SDK has it, with /v1 behind it (default: GATEWAY_URL, else \
            http://127.0.0.1 with PORT, else 4000).
            """)
    var url: String?

    @Option(help: "The project of the rollout; the gateway's default project if none is given.")
    var project: String?

    /// - Parameter environment: `GATEWAY_API_KEY` holds the key of a gateway that asks for one; on the command line
    ///   everybody could read it. An empty variable counts as none.
    func client(_ environment: [String: String], upstream: any UpstreamClient) throws -> GatewayClient {
        let environment = environment.givenVariables
        let text = url ?? environment["GATEWAY_URL"] ?? "http://127.0.0.1:\(environment["PORT"] ?? "4000")"
        guard let url = BaseURL(text), let place = GatewayPlace(url) else {
            throw ValidationError(
                "the gateway's URL `\(text)` must be \(BaseURL.rule); for example http://127.0.0.1:4000")
        }
        let named = project.map { PercentEncoding.segment($0) }
        if let named, let written = place.project, named != written {
            throw ValidationError(
                "the gateway's URL `\(text)` names another project than --project; leave one of them out")
        }
        let prefix = (named ?? place.project).map { "/v1/project_id/\($0)" } ?? "/v1"
        return GatewayClient(
            base: place.base, prefix: prefix, key: environment["GATEWAY_API_KEY"].map(SecretString.init),
            upstream: upstream)
    }
}

/// The parts of a URL under which a gateway answers.
struct GatewayPlace: Equatable {
    /// The URL in front of version, project and ids.
    let base: BaseURL
    /// The project that the URL names, percent-encoded.
    let project: String?

    /// Reads the URL of a gateway, or one that an SDK is given for it: with `/v1`, a project, or a rollout's ids, and
    /// with `/chat/completions` behind them, as some clients want it.
    init?(_ url: BaseURL) {
        var segments = url.path.split(separator: "/", omittingEmptySubsequences: true)[...]
        if segments.suffix(2).elementsEqual(["chat", "completions"], by: { $0 == $1 }) { segments.removeLast(2) }
        if let ids = segments.firstIndex(where: { $0 == "rollout_id" }) { segments = segments[..<ids] }
        if segments.last == "v1" { segments.removeLast() }
        var project: String?
        if segments.dropLast().last == "project_id", let name = segments.popLast() {
            project = String(name)
            segments.removeLast()
            if segments.last == "v1" { segments.removeLast() }
        }
        self.project = project
        let path = segments.map { "/\($0)" }.joined()
        guard let base = BaseURL("\(url.scheme)://\(url.host):\(url.port)\(path)") else { return nil }
        self.base = base
    }
}
