internal import ArgumentParser
internal import Common
internal import Upstream

/// The gateway that a command asks, and the project for which it asks.
struct GatewayAddress: ParsableArguments {
    @Option(help: "The gateway's URL (default: GATEWAY_URL, else http://127.0.0.1 with PORT, else 4000).")
    var url: String?

    @Option(help: "The project of the rollout; the gateway's default project if none is given.")
    var project: String?

    /// The project as it stands in front of a path.
    var prefix: String { project.map { "/v1/project_id/\(PercentEncoding.segment($0))" } ?? "/v1" }

    /// - Parameter environment: `GATEWAY_API_KEY` holds the key of a gateway that asks for one; on the command line
    ///   everybody could read it.
    func client(_ environment: [String: String], upstream: any UpstreamClient) throws -> GatewayClient {
        let text = url ?? environment["GATEWAY_URL"] ?? "http://127.0.0.1:\(environment["PORT"] ?? "4000")"
        guard let base = BaseURL(text) else {
            throw ValidationError(
                "the gateway's URL `\(text)` must be \(BaseURL.rule); for example http://127.0.0.1:4000")
        }
        return GatewayClient(
            base: base, prefix: prefix, key: environment["GATEWAY_API_KEY"].map(SecretString.init), upstream: upstream)
    }
}
