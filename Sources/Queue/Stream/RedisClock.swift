internal import Common
internal import NIOConcurrencyHelpers

/// The Redis server's clock, as its answers tell it. Good to about half the time that the quickest of them took.
/// Between two answers this machine's monotonic clock goes on, so that a step of its wall clock changes nothing.
///
/// Entries of a stream are dated by this clock. A command that was sent is executed even if its sender has given up
/// meanwhile, as when the server stood still for a while. A command that says until when it is wanted, by this clock,
/// is not.
package final class RedisClock: Sendable {
    private struct State {
        /// The last answer of the server that counts, and the instant at which it was given.
        var heard: (time: Timestamp, at: ContinuousClock.Instant)?
        /// The instant since which the server has answered without a break.
        var steadySince: ContinuousClock.Instant?
    }

    /// An answer that took longer says too little.
    private static let quick = Duration.milliseconds(100)

    private let state = NIOLockedValueBox(State())

    package init() {}

    /// The server's time; this machine's before the first answer.
    var now: Timestamp { time(at: .now) ?? .now }

    /// The server's time at an instant, which may be to come; nil before the first answer.
    func time(at instant: ContinuousClock.Instant) -> Timestamp? {
        state.withLockedValue { $0.heard }.map { $0.time + $0.at.duration(to: instant) }
    }

    /// Takes an answer.
    /// - Parameters:
    ///   - time: the time by the server's clock.
    ///   - asked: the instant of the question.
    ///   - answered: the instant at which the answer came.
    ///   - isCertain: whether its word counts however long it took: what was believed was wrong, or may be old.
    func learn(
        _ time: Timestamp, asked: ContinuousClock.Instant, answered: ContinuousClock.Instant = .now,
        isCertain: Bool = false
    ) {
        let elapsed = asked.duration(to: answered)
        state.withLockedValue { state in
            state.steadySince = state.steadySince ?? answered
            if state.heard == nil || isCertain || elapsed <= Self.quick { state.heard = (time, asked + elapsed / 2) }
        }
    }

    /// Notes that the server did not answer.
    func lose() { state.withLockedValue { $0.steadySince = nil } }

    /// Whether the server has answered without a break for that long.
    func isSteady(for time: Duration, at instant: ContinuousClock.Instant = .now) -> Bool {
        state.withLockedValue { $0.steadySince }.map { $0.duration(to: instant) >= time } ?? false
    }
}
