internal import NIOCore
internal import NIOPosix

/// A pause between two tries of something that must not be given up, whatever becomes of the task: `Task.sleep` returns at once in a cancelled task, and the
/// loop around it would spin.
package struct RetryPause: Sendable {
    private static let longest = 500

    private var milliseconds = 20

    package init() {}

    /// Waits a little, longer each time, up to half a second.
    package mutating func wait() async {
        let pause = TimeAmount.milliseconds(Int64(milliseconds))
        milliseconds = min(milliseconds * 2, Self.longest)
        await withCheckedContinuation { continuation in
            _ = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: pause) { continuation.resume() }
        }
    }
}
