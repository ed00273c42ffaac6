internal import Common
internal import JSON
internal import NIOConcurrencyHelpers

/// Holds what a test wants to go wrong. The test may change it at any time; it counts from the next request on.
package final class FaultInjector: Sendable {
    private struct State {
        var faults = Faults()
        /// The number of requests that each refusal has met which lets every second one through.
        var met: [Int: Int] = [:]
        /// Whether rows may be there that cannot be seen yet.
        var hasHidden = false
    }

    private let state: NIOLockedValueBox<State>

    package init(_ faults: Faults = Faults()) {
        state = NIOLockedValueBox(State(faults: faults, hasHidden: faults.visibilityDelay > .zero))
    }

    /// Changes the faults.
    package func change(_ change: @Sendable (inout Faults) -> Void) {
        state.withLockedValue { state in
            change(&state.faults)
            if state.faults.visibilityDelay > .zero { state.hasHidden = true }
        }
    }

    var current: Faults { state.withLockedValue { $0.faults } }

    /// Whether readers have to look at the time at which rows may be seen.
    var hasHidden: Bool { state.withLockedValue { $0.hasHidden } }

    /// Answers a request, with all that goes wrong on its way.
    func answer<Answer>(_ route: Faults.Route, _ answer: () async throws -> Answer) async throws -> Answer {
        await current.waitsBefore?(route)
        try check(route)
        let result = try await answer()
        await current.waitsAfter?(route)
        return result
    }

    /// Whether some answer has to be wrong.
    /// - Throws: the wrong answer.
    private func check(_ route: Faults.Route) throws(LangfuseError) {
        let refusal: Faults.Refusal? = state.withLockedValue { state in
            guard let index = state.faults.refusals.firstIndex(where: { $0.routes.contains(route) && $0.times != 0 })
            else { return nil }
            if state.faults.refusals[index].isEverySecond {
                state.met[index, default: 0] += 1
                if state.met[index, default: 0].isMultiple(of: 2) { return nil }
            }
            state.faults.refusals[index].times = state.faults.refusals[index].times.map { $0 - 1 }
            return state.faults.refusals[index]
        }
        if let refusal { throw LangfuseError(refusal) }
        switch (current.mode, route) {
        case (.v3Only, .observations), (.v3Only, .metrics), (.v3Only, .scores): throw .noV2
        case (.v4Only, .traces): throw .eventsOnly
        default: return
        }
    }
}

extension LangfuseError {
    fileprivate init(_ refusal: Faults.Refusal) {
        let message =
            refusal.status == 422 ? "The query ran out of time. Ask for a shorter window." : "Injected failure"
        self.init(refusal.status, message, error: refusal.status == 422 ? "Request timed out" : nil)
        guard let seconds = refusal.retryAfter else { return }
        headers = [HeaderField("Retry-After", String(seconds))]
        guard refusal.status == 429 else { return }
        headers += [HeaderField("X-RateLimit-Limit", "30"), HeaderField("X-RateLimit-Remaining", "0")]
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("message", "Rate limit exceeded")
            writer.member("code", "rate_limited")
            writer.member("details") { writer in
                writer.object { writer in
                    writer.member("retryAfterSeconds", seconds)
                    writer.member("limit", 30)
                    writer.member("remaining", 0)
                }
            }
        }
        body = writer.bytes
    }
}
