package import Common
package import NIOCore
internal import NIOPosix
internal import Queue

/// A client in the worker's process: keeps what it is sent, to be asked for one by one.
package final class LocalRecorder: LocalClient {
    private let (frames, arriving) = AsyncStream<ResponseFrame>.makeStream()

    package let eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()

    package init() {}

    package func receive(_ frame: ResponseFrame) { arriving.yield(frame) }

    /// The next frame; waits for it. Nil if the client has hung up and there is none.
    package func next() async -> ResponseFrame? {
        var iterator = frames.makeAsyncIterator()
        return await iterator.next()
    }

    /// Takes no more frames.
    package func hangUp() { arriving.finish() }
}
