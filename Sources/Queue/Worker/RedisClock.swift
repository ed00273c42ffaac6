internal import Common
internal import NIOConcurrencyHelpers

/// The Redis server's clock, by which entries of a stream are dated, and how long it has been heard without a break.
/// Set by each heartbeat; until the first it is this machine's.
package final class RedisClock: Sendable {
    private struct State {
        /// What the server said last, and when.
        var heard: (time: Timestamp, at: ContinuousClock.Instant)?
        var steadySince: ContinuousClock.Instant?
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    var now: Timestamp { now(at: .now) }

    /// The same at another instant. Between two heartbeats the monotonic clock goes on.
    func now(at instant: ContinuousClock.Instant) -> Timestamp {
        guard let heard = state.withLockedValue({ $0.heard }) else { return .now }
        return heard.time + heard.at.duration(to: instant)
    }

    /// - Parameter serverTime: by the server's clock.
    func set(_ serverTime: Timestamp, at instant: ContinuousClock.Instant = .now) {
        state.withLockedValue { state in
            state.heard = (serverTime, instant)
            state.steadySince = state.steadySince ?? instant
        }
    }

    /// A heartbeat failed.
    func lose() { state.withLockedValue { $0.steadySince = nil } }

    /// Whether the server has been heard without a break for that long.
    func isSteady(for time: Duration, at instant: ContinuousClock.Instant = .now) -> Bool {
        state.withLockedValue { $0.steadySince }.map { $0.duration(to: instant) >= time } ?? false
    }
}
