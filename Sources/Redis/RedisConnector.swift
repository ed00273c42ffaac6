internal import Logging
internal import NIOCore

/// Keeps one connection to an endpoint, for as long as it runs.
struct RedisConnector: Sendable {
    /// A connection that lived this long was sound: the next attempt after it begins with the shortest wait again.
    private static let soundAfter = Duration.seconds(1)

    let endpoint: RedisEndpoint
    let eventLoop: any EventLoop
    let logger: Logger

    /// Connects, and connects again whenever the connection ends, until the task is cancelled.
    /// - Parameters:
    ///   - onMessages: takes what arrives on subscribed channels, on the event loop.
    ///   - connected: takes each connection once it is logged in.
    ///   - disconnected: is told why there is no connection: before the first, after each, and after each failed
    ///     attempt.
    /// - Throws: only if the endpoint's configuration can never work.
    func run(
        onMessages: (@Sendable ([RedisMessage]) -> Void)? = nil,
        connected: @Sendable (RedisConnection) -> Void,
        disconnected: @Sendable (RedisError) -> Void = { _ in }
    ) async throws(RedisError) {
        let tls = try endpoint.makeTLSContext()
        var backoff = RedisBackoff()
        var reported: String?
        while !Task.isCancelled {
            do throws(RedisError) {
                let connection = try await RedisConnection.open(
                    endpoint, tls: tls, eventLoop: eventLoop, onMessages: onMessages)
                logger.debug("connected to Redis", metadata: ["endpoint": "\(endpoint)"])
                reported = nil
                let start = ContinuousClock.now
                connected(connection)
                await connection.ended()
                if start.duration(to: .now) >= Self.soundAfter { backoff = RedisBackoff() }
                let refusal = connection.endReason
                disconnected(
                    refusal ?? RedisError(.unavailable, "the connection to \(endpoint) ended and is being made anew"))
                // The end that was asked for is not news, and what the server refuses is told by the watch.
                logger.log(
                    level: Task.isCancelled || refusal != nil ? .debug : .notice, "the connection to Redis ended",
                    metadata: ["endpoint": "\(endpoint)"])
            } catch {
                disconnected(error)
                // What the server refuses is told by the watch, once for all connections.
                let level: Logger.Level = error.refusal.map(RedisRefusal.isState) ?? false ? .debug : .error
                if error.message != reported { logger.log(level: level, "\(error.message); trying on") }
                reported = error.message
            }
            try? await Task.sleep(for: backoff.next())
        }
    }
}
