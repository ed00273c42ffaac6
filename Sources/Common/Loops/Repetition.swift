/// Does some work at once, and again after each pause, until the task is cancelled.
/// - Parameter interval: the pause between the end of the work and its next beginning.
package func every(_ interval: Duration, _ work: () async -> Void) async {
    await repeated {
        await work()
        return interval
    }
}

/// Does some work at once, and again after each pause, until the task is cancelled.
/// - Parameter work: returns the pause until it is done again.
/// - Throws: what the work throws, which ends the repetition.
package func repeated(_ work: () async throws -> Duration) async rethrows {
    while !Task.isCancelled {
        let pause = try await work()
        try? await Task.sleep(for: pause)
    }
}
