package import Common

/// The time that a verifier goes by, and its way to wait. Tests bring one that stands still.
package struct VerifierClock: Sendable {
    /// The time by which ages are told.
    package var now: @Sendable () -> Timestamp
    /// Milliseconds since some time, by the monotonic clock: bounds of waits and deadlines go by it.
    package var steady: @Sendable () -> Int64
    /// Waits; throws when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void

    /// - Parameter steady: nil: time passes by `now` alone.
    package init(
        now: @escaping @Sendable () -> Timestamp, steady: (@Sendable () -> Int64)? = nil,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.steady = steady ?? { Int64(clamping: now().milliseconds) }
        self.sleep = sleep
    }

    /// The machine's own.
    package static let system = {
        let origin = ContinuousClock.now
        return VerifierClock(
            now: { .now }, steady: { origin.duration(to: .now).milliseconds },
            sleep: { try await Task.sleep(for: $0) })
    }()

    /// A clock that begins with what this one says now and goes on monotonically. It is for one piece of work, in
    /// which ages and deadlines are compared.
    func started() -> (clock: VerifierClock, behind: Duration) {
        let behind = Duration.milliseconds(Int64(clamping: now().milliseconds) - steady())
        let time = { @Sendable [steady] in Timestamp(clamping: steady()) + behind }
        return (VerifierClock(now: time, sleep: sleep), behind)
    }
}
