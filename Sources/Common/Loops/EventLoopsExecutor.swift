internal import NIOCore
package import NIOPosix

/// Runs tasks on the event loops, and each piece of one on the loop that made it runnable.
///
/// A request is read on its connection's loop, and the answer of Redis on that connection's. On the shared pool every
/// step of a request would begin with the waking of another thread, and end with the waking of a loop; most of what a
/// small request costs would be that. Work that computes for long would hold up the connections of its loop, as it
/// would hold up a pool with as many threads.
package final class EventLoopsExecutor: TaskExecutor {
    package static let shared = EventLoopsExecutor(loops: MultiThreadedEventLoopGroup.singleton)

    private let loops: MultiThreadedEventLoopGroup

    package init(loops: MultiThreadedEventLoopGroup) { self.loops = loops }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let loop = MultiThreadedEventLoopGroup.currentEventLoop ?? loops.next()
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
