internal import Common
package import Logging
package import Redis

extension Logger {
    /// Keeps the expected failures of a test out of its output.
    package static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Runs `body` with a client that is connected, and shuts it down afterwards.
package func withRedisClient<Result>(
    _ endpoint: RedisEndpoint, _ body: (RedisClient) async throws -> Result
) async throws -> Result {
    let client = RedisClient(endpoint, logger: .silent)
    return try await withThrowingTaskGroup { group in
        group.addTask { try await client.run() }
        defer { group.cancelAll() }
        try await client.waitUntilReady(timeout: .seconds(30))
        return try await body(client)
    }
}

/// Runs `body` while a subscriber listens on `channels`, with the stream of its events.
package func withRedisSubscriber<Result>(
    _ endpoint: RedisEndpoint, channels: [String], _ body: (AsyncStream<RedisSubscriber.Event>) async throws -> Result
) async throws -> Result {
    let (events, continuation) = AsyncStream.makeStream(of: RedisSubscriber.Event.self)
    let subscriber = RedisSubscriber(endpoint, channels: channels, logger: .silent) { continuation.yield($0) }
    return try await withThrowingTaskGroup { group in
        group.addTask { try await subscriber.run() }
        defer { group.cancelAll() }
        return try await body(events)
    }
}
