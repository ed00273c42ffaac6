internal import Common
internal import NIOConcurrencyHelpers

/// The Redis server's clock, as its answers tell it. Good to about half the time that the quickest of them took.
///
/// A command that was sent is executed even if its sender has given up meanwhile, as when the server stood still for a
/// while. One that says until when it is wanted, by the server's own clock, is not.
final class ServerClock: Sendable {
    /// An answer that took longer says too little.
    private static let quick = Duration.milliseconds(100)

    private let origin = ContinuousClock.now
    /// The server's time at `origin`; nil before the first answer.
    private let start = NIOLockedValueBox<Timestamp?>(nil)

    /// The server's time a while from now; nil if nothing is known of it.
    func time(in duration: Duration) -> Timestamp? {
        start.withLockedValue { $0 }.map { $0 + (origin.duration(to: .now) + duration) }
    }

    /// - Parameters:
    ///   - time: what the server's clock said.
    ///   - asked: when it was asked.
    ///   - isCertain: whether its word counts however long it took, since what was believed was wrong.
    func learn(_ time: Timestamp, asked: ContinuousClock.Instant, isCertain: Bool = false) {
        let elapsed = asked.duration(to: .now)
        let then = origin.duration(to: asked) + elapsed / 2
        start.withLockedValue { start in
            if start == nil || isCertain || elapsed <= Self.quick { start = time - then }
        }
    }
}
