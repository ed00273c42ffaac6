internal import Upstream

/// Counts and measures the calls that it makes by way of another client.
struct MeteredUpstream: UpstreamClient {
    let upstream: any UpstreamClient
    let metrics: VerifierMetrics

    func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        try await upstream.withCall(request) { call in try await body(MeteredCall(call: call, metrics: metrics)) }
    }
}

private struct MeteredCall: UpstreamCall {
    let call: any UpstreamCall
    let metrics: VerifierMetrics
    private let began = ContinuousClock.now

    init(call: any UpstreamCall, metrics: VerifierMetrics) {
        self.call = call
        self.metrics = metrics
    }

    func head() async throws(UpstreamError) -> UpstreamHead {
        do throws(UpstreamError) {
            let head = try await call.head()
            metrics.called(head.status, in: began.duration(to: .now))
            return head
        } catch {
            metrics.called(nil, in: began.duration(to: .now))
            throw error
        }
    }

    func next(minimum: Int, patience: Duration?) async throws(UpstreamError) -> UpstreamPiece? {
        try await call.next(minimum: minimum, patience: patience)
    }
}
