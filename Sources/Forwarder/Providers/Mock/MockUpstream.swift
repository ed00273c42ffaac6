package import Common
package import Upstream

/// Answers `mock/…` models without a network, for smoke tests and for rehearsals of an evaluation.
///
/// It takes requests whose URL is `mock:` and a path, and answers chat completions, streamed or not, in OpenAI's shape.
/// The model says how: `mock/echo` repeats the last user message; `mock/echo?delay_ms=200&chunks=20` waits and cuts it
/// up. `MockOptions` lists all options. It answers a wrong request as a provider would: a 400 or 404 with OpenAI's
/// error body.
package struct MockUpstream<C: Clock<Duration>>: UpstreamClient {
    private let clock: C
    private let ids: InsertionIDGenerator
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - clock: Waits out the delays.
    ///   - now: for the answer's `created` and `id`.
    package init(clock: C, now: @escaping @Sendable () -> Timestamp = { .now }) {
        self.clock = clock
        self.now = now
        self.ids = InsertionIDGenerator(now: now)
    }

    package func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        try await body(MockCall(answer(to: request), request: request, clock: clock))
    }

    private func answer(to request: UpstreamRequest) -> MockResponse {
        do throws(GatewayError) {
            guard request.method == "POST", request.url == "mock:\(Provider.chatCompletions)" else {
                throw .invalidRequest(404, code: "not_found", "The mock answers POST /chat/completions only.")
            }
            return try MockResponse(
                to: MockRequest(parsing: request.body), id: "chatcmpl-mock-\(ids.next().hex)",
                created: now().milliseconds / 1000)
        } catch {
            return MockResponse(error: error)
        }
    }
}

extension MockUpstream where C == ContinuousClock {
    /// A mock whose delays are real.
    package init() { self.init(clock: ContinuousClock()) }
}
