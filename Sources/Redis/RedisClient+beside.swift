internal import ServiceLifecycle

extension RedisClient {
    /// Runs the client, and beside it the one piece of work that it is there for. On graceful shutdown the work is
    /// cancelled, and a read that blocks it ends with the connection.
    package func run(beside work: @escaping @Sendable () async -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { [self] in try await run() }
            group.addTask { await cancelWhenGracefulShutdown { await work() } }
            for try await _ in group {}
        }
    }
}
