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
    ///   - disconnected: is told why there is no connection: before the first, after each, and after each failed attempt.
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
                let connection = try await RedisConnection.open(endpoint, tls: tls, eventLoop: eventLoop, onMessages: onMessages)
                logger.debug("connected to Redis", metadata: ["endpoint": "\(endpoint)"])
                reported = nil
                let start = ContinuousClock.now
                connected(connection)
                await connection.ended()
                if start.duration(to: .now) >= Self.soundAfter { backoff = RedisBackoff() }
                disconnected(RedisError(.unavailable, "the connection to \(endpoint) ended and is being made anew"))
                // The end that was asked for is no news.
                logger.log(level: Task.isCancelled ? .debug : .notice, "the connection to Redis ended", metadata: ["endpoint": "\(endpoint)"])
            } catch {
                disconnected(error)
                if error.message != reported { logger.error("\(error.message); trying on") }
                reported = error.message
            }
            try? await Task.sleep(for: backoff.next())
        }
    }
}
