package import NIOCore
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
        try await network.withCall(marked(request), body)
    }

    package func start(
        _ request: UpstreamRequest, patience: Duration?, on eventLoop: any EventLoop, to receiver: any UpstreamReceiver
    ) -> any UpstreamTransfer {
        network.start(marked(request), patience: patience, on: eventLoop, to: receiver)
    }

    private func marked(_ request: UpstreamRequest) -> UpstreamRequest {
        var request = request
        request.headers = mark.added(to: request.headers)
        return request
    }
}
