internal import NIOCore
internal import NIOPosix

/// A pause between two tries of something that must not be given up, even if the task is cancelled: `Task.sleep` then
/// returns at once, and the loop around it would spin.
package struct RetryPause: Sendable {
    private static let longest = 500

    private var milliseconds = 20

    package init() {}

    /// A little, longer each time, up to half a second.
    mutating func next() -> TimeAmount {
        defer { milliseconds = min(milliseconds * 2, Self.longest) }
        return .milliseconds(Int64(milliseconds))
    }

    /// Waits that long.
    package mutating func wait() async {
        let pause = next()
        await withCheckedContinuation { continuation in
            _ = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: pause) { continuation.resume() }
        }
    }
}
