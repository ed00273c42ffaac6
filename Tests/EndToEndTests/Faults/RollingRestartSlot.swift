import TestSupport

/// A place in which one process runs after the other.
actor RollingRestartSlot {
    /// How many processes have come up here.
    private(set) var started = 0
    private let (orders, sender) = AsyncStream<Void>.makeStream()

    /// A process is up: waits until it is to go.
    /// - Returns: whether another follows it.
    nonisolated func up() async -> Bool {
        await count()
        for await _ in orders { return true }
        return false
    }

    private func count() { started += 1 }

    /// Replaces the process, and returns when the next one is up.
    func restart() async throws {
        let before = started
        sender.yield()
        try await eventually(within: .seconds(60)) { self.started > before }
    }

    /// Lets the process go, for good.
    nonisolated func stop() { sender.finish() }
}
