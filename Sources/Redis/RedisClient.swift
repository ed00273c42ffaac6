package import Logging
internal import NIOConcurrencyHelpers
package import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// A client of one Redis server over one pipelined connection, made anew whenever it ends.
///
/// Commands issued at the same time by any number of tasks leave in one write, and their answers come back in order. A
/// blocking command holds up all behind it: give blocking reads a client of their own.
///
/// **Cancelling a task does not cancel its command.** The connection is shared, and a command once sent cannot be
/// recalled; the await ends with the answer or at the command's timeout.
package final class RedisClient: Service {
    private struct State {
        var connection: RedisConnection?
        /// The reason why there is no connection.
        var absence: RedisError
        var generation = 0
        var watchers: [Int: AsyncStream<Int>.Continuation] = [:]
        var nextWatcher = 0
        var isFinished = false
    }

    /// The server that this client speaks to.
    package let endpoint: RedisEndpoint
    /// The event loop on which the connection lives, and on which callbacks are called.
    package var eventLoop: any EventLoop { connector.eventLoop }
    private let connector: RedisConnector
    private let state: NIOLockedValueBox<State>

    /// - Parameter eventLoop: where the connection lives; nil takes one of the process's shared loops.
    package init(_ endpoint: RedisEndpoint, eventLoop: (any EventLoop)? = nil, logger: Logger) {
        self.endpoint = endpoint
        connector = RedisConnector(
            endpoint: endpoint, eventLoop: eventLoop ?? MultiThreadedEventLoopGroup.singleton.next(), logger: logger)
        state = NIOLockedValueBox(State(absence: RedisError(.unavailable, "not yet connected to \(endpoint)")))
    }

    /// Keeps the connection until graceful shutdown or cancellation, then fails all that waits.
    /// - Throws: ``RedisError`` if the endpoint's configuration can never work.
    package func run() async throws {
        defer { finish() }
        try await cancelWhenGracefulShutdown { [self] in
            try await connector.run(connected: connected, disconnected: disconnected)
        }
    }

    /// Sends a command and returns its answer.
    /// - Parameter timeout: the longest wait for the answer, instead of the endpoint's. When it passes the connection
    ///   is closed, and everything in flight on it fails.
    /// - Throws: ``RedisError``: `.unavailable` at once while there is no connection, `.server` if the server refuses.
    ///   Where the command may have taken effect all the same, ``RedisError/mayHaveBeenExecuted`` is true.
    package func send(_ command: RedisCommand, timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        try await connection().send(command, timeout: timeout).get()
    }

    /// Sends commands with no other between them and returns their answers in order.
    /// - Returns: as many values as commands; a refusal by the server is `.error` at its place and hides none of the
    ///   others.
    /// - Throws: as ``send(_:timeout:)``, except for refusals.
    package func send(batch commands: [RedisCommand], timeout: Duration? = nil) async throws(RedisError) -> [RedisValue]
    {
        try await connection().send(batch: commands, timeout: timeout)
    }

    /// Sends a command and calls back with its answer, always later and on ``eventLoop``. From there it costs no change
    /// of thread: all commands of a turn of the loop leave in one write at its end.
    /// - Parameters:
    ///   - timeout: as of ``send(_:timeout:)``.
    ///   - completion: takes the answer, or what ``send(_:timeout:)`` throws. It must not block.
    package func send(
        _ command: RedisCommand, timeout: Duration? = nil,
        completion: @escaping @Sendable (Result<RedisValue, RedisError>) -> Void
    ) {
        do throws(RedisError) {
            let callback = RedisWaiter.Completion.callback { reply in
                completion(Result { () throws(RedisError) in try reply.get().get() })
            }
            try connection().submit(
                command,
                waiter: RedisWaiter(expected: nil, timeout: timeout ?? endpoint.commandTimeout, completion: callback))
        } catch {
            eventLoop.execute { completion(.failure(error)) }
        }
    }

    private func connection() throws(RedisError) -> RedisConnection {
        let (connection, absence) = state.withLockedValue { ($0.connection, $0.absence) }
        guard let connection else { throw absence }
        return connection
    }
}

extension RedisClient {
    /// Whether a connection is there, logged in and answering.
    package var isReady: Bool { state.withLockedValue { $0.connection != nil } }

    /// Waits for a connection, as at start-up. Ends early if the task is cancelled.
    /// - Throws: ``RedisError`` with code `.unavailable` and the reason, if there is none within `timeout`.
    package func waitUntilReady(timeout: Duration) async throws(RedisError) {
        if isReady { return }
        let connections = connections()
        await withTaskGroup { group in
            group.addTask { for await _ in connections { return } }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
        _ = try connection()
    }

    /// The connections' numbers, 1 upwards, beginning with the present one if there is one. A reader that falls behind
    /// gets the newest only. Code whose state rests on the server (a loaded script, a group, a place in a stream)
    /// checks it again after each.
    package func connections() -> AsyncStream<Int> {
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let watcher = state.withLockedValue { state -> Int? in
            if state.connection != nil { continuation.yield(state.generation) }
            guard !state.isFinished else { return nil }
            defer { state.nextWatcher += 1 }
            state.watchers[state.nextWatcher] = continuation
            return state.nextWatcher
        }
        if let watcher {
            continuation.onTermination = { [state] _ in
                _ = state.withLockedValue { $0.watchers.removeValue(forKey: watcher) }
            }
        } else {
            continuation.finish()
        }
        return stream
    }

    private func connected(_ connection: RedisConnection) {
        state.withLockedValue { state in
            state.connection = connection
            state.generation += 1
            for watcher in state.watchers.values { watcher.yield(state.generation) }
        }
    }

    private func disconnected(_ reason: RedisError) {
        state.withLockedValue { state in
            state.connection = nil
            state.absence = RedisError(.unavailable, reason.message, refusal: reason.refusal)
        }
    }

    private func finish() {
        disconnected(RedisError(.unavailable, "the client of \(endpoint) has been shut down"))
        let watchers = state.withLockedValue { state in
            state.isFinished = true
            return state.watchers.values
        }
        for watcher in watchers { watcher.finish() }
    }
}
