internal import Common
package import Upstream

/// Sends each call where it belongs: `mock:` URLs to the mock, all others to the network. So a runner knows one upstream only.
package struct Upstreams: UpstreamClient {
    private let network: any UpstreamClient
    private let mock: any UpstreamClient

    package init(network: any UpstreamClient, mock: any UpstreamClient = MockUpstream()) {
        self.network = network
        self.mock = mock
    }

    package func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        try await (request.url.hasPrefix("mock:") ? mock : network).withCall(request, body)
    }
}
