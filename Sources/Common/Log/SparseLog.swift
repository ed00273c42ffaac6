internal import NIOConcurrencyHelpers

/// Lets a message that would come with each of many entries through once in a while, with how many it stands for.
package final class SparseLog: Sendable {
    private struct State {
        var count = 0
        var last: ContinuousClock.Instant?
    }

    private let interval: Duration
    private let state = NIOLockedValueBox(State())

    package init(every interval: Duration = .seconds(60)) { self.interval = interval }

    /// - Returns: the number that came since it was last said; nil if that was a short while ago.
    package func note(_ count: Int = 1, now: ContinuousClock.Instant = .now) -> Int? {
        state.withLockedValue { state in
            state.count += count
            if let last = state.last, last.duration(to: now) < interval { return nil }
            defer { state = State(last: now) }
            return state.count
        }
    }
}
