internal import Common

/// The time that a verifier goes by, and its way to wait. Tests bring one that stands still.
package struct VerifierClock: Sendable {
    /// Milliseconds since 1970.
    package var now: @Sendable () -> Int64
    /// Waits; throws when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void

    package init(now: @escaping @Sendable () -> Int64, sleep: @escaping @Sendable (Duration) async throws -> Void) {
        self.now = now
        self.sleep = sleep
    }

    /// The machine's own.
    package static let system = VerifierClock(now: { Int64(UnixTime.milliseconds) }, sleep: { try await Task.sleep(for: $0) })
}
