internal import Common
package import NIOCore
package import Upstream

/// Sends each call where it belongs: `mock:` URLs to the mock, all others to the network. So a runner knows one
/// upstream only.
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
        try await upstream(of: request).withCall(request, body)
    }

    package func start(
        _ request: UpstreamRequest, patience: Duration?, on eventLoop: any EventLoop, to receiver: any UpstreamReceiver
    ) -> any UpstreamTransfer {
        upstream(of: request).start(request, patience: patience, on: eventLoop, to: receiver)
    }

    private func upstream(of request: UpstreamRequest) -> any UpstreamClient {
        request.url.hasPrefix("mock:") ? mock : network
    }
}
