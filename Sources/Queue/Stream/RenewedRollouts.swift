internal import Common
internal import NIOConcurrencyHelpers

/// The rollouts whose record, list and count this process has renewed in the present second. Once a second is often
/// enough: these keys live for hours.
final class RenewedRollouts: Sendable {
    private struct State {
        var second: Int64 = -1
        var sets: Set<UTF8Text> = []
    }

    private let state = NIOLockedValueBox(State())
    private let start = ContinuousClock.now

    /// Whether a rollout is to be renewed now. Says so once a second.
    /// - Parameters:
    ///   - set: the key of the rollout's set.
    ///   - now: the time; by default this machine's.
    func isDue(_ set: String, now: ContinuousClock.Instant = .now) -> Bool {
        let second = start.duration(to: now).components.seconds
        return state.withLockedValue { state in
            if state.second != second { state = State(second: second) }
            return state.sets.insert(set)
        }
    }
}
