internal import Common

/// The time that a verifier goes by, and its way to wait. Tests bring one that stands still.
package struct VerifierClock: Sendable {
    /// Milliseconds since 1970, by which ages are told.
    package var now: @Sendable () -> Int64
    /// Milliseconds since some time, by the monotonic clock: bounds of waits and deadlines go by it.
    package var steady: @Sendable () -> Int64
    /// Waits; throws when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void

    /// - Parameter steady: nil: time passes by `now` alone.
    package init(
        now: @escaping @Sendable () -> Int64, steady: (@Sendable () -> Int64)? = nil,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.steady = steady ?? now
        self.sleep = sleep
    }

    /// The machine's own.
    package static let system = {
        let origin = ContinuousClock.now
        return VerifierClock(
            now: { Int64(UnixTime.milliseconds) }, steady: { origin.duration(to: .now).milliseconds },
            sleep: { try await Task.sleep(for: $0) })
    }()

    /// A clock that begins with what this one says now and goes on monotonically. It is for one piece of work, in
    /// which ages and deadlines are compared.
    func started() -> (clock: VerifierClock, behind: Int64) {
        let behind = now() - steady()
        let time = { @Sendable [steady] in steady() + behind }
        return (VerifierClock(now: time, sleep: sleep), behind)
    }
}
