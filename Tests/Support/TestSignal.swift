internal import NIOCore
internal import NIOPosix

/// Something that a test waits for, once.
package struct TestSignal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() { (stream, continuation) = AsyncStream.makeStream() }

    package func send() {
        continuation.yield()
        continuation.finish()
    }

    package func wait() async { for await _ in stream { return } }
}

/// Waits until `condition` holds, by asking again and again: for the state of another process or of Redis, which sends
/// no signal when it changes. Where there is a signal, wait for that.
/// - Throws: `NeverHeld` if it does not hold within `limit`.
package func eventually(within limit: Duration = .seconds(60), _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NeverHeld(limit: limit) }
        try await MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: .milliseconds(5)) {}.futureResult.get()
    }
}

/// The shortest of the times that `body` takes when it is done again and again. A busy machine makes some of them long,
/// and none of them short.
package func shortestTime(of times: Int = 4, _ body: () async throws -> Void) async rethrows -> Duration {
    var shortest = Duration.seconds(Int64.max)
    for _ in 0..<times {
        let start = ContinuousClock.now
        try await body()
        shortest = min(shortest, start.duration(to: .now))
    }
    return shortest
}

package struct NeverHeld: Error, CustomStringConvertible {
    let limit: Duration
    package var description: String { "what was waited for did not hold within \(limit)" }
}
