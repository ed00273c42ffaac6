internal import NIOConcurrencyHelpers

/// Entries that this process was given, cannot read, and has left for others. It does not take them again while it
/// remembers them: else it would go on taking and leaving them, and would come to nothing behind them.
final class EntriesForOthers: Sendable {
    private let limit: Int
    private let state = NIOLockedValueBox<[(entry: String, until: ContinuousClock.Instant)]>([])

    /// - Parameter limit: the most entries that are remembered. Beyond it the oldest are forgotten; they are taken and
    ///   left once more.
    init(limit: Int) { self.limit = limit }

    /// - Parameter life: the time for which the entry is remembered.
    func add(_ entry: String, for life: Duration, now: ContinuousClock.Instant = .now) {
        state.withLockedValue { state in
            state.removeAll { $0.entry == entry }
            state.append((entry, now + life))
            if state.count > limit { state.removeFirst(state.count - limit) }
        }
    }

    func entries(now: ContinuousClock.Instant = .now) -> [String] {
        state.withLockedValue { state in
            state.removeAll { $0.until <= now }
            return state.map(\.entry)
        }
    }
}
