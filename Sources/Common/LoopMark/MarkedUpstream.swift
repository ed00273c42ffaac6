package import Upstream

/// Makes calls that carry the deployment's mark.
package struct MarkedUpstream: UpstreamClient {
    private let network: any UpstreamClient
    private let mark: LoopMark

    package init(_ network: any UpstreamClient, mark: LoopMark) {
        self.network = network
        self.mark = mark
    }

    package func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        var request = request
        request.headers = mark.added(to: request.headers)
        return try await network.withCall(request, body)
    }
}
