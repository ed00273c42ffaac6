internal import Common
internal import NIOCore
internal import NIOPosix

extension Backoff {
    /// The pauses between tries of a step on Redis.
    static var ofRedisSteps: Backoff { Backoff(first: .milliseconds(20), longest: .milliseconds(500)) }

    /// Waits for the next pause, even if the task is cancelled: `Task.sleep` then returns at once, and a loop around it
    /// would spin.
    mutating func waitThroughCancellation() async {
        let pause = TimeAmount(next())
        await withCheckedContinuation { continuation in
            _ = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: pause) { continuation.resume() }
        }
    }
}
