import NIOCore
import NIOPosix
import Testing

@testable import Common
@testable import Upstream

/// Tasks that run on the event loops, each piece where it became runnable.
@Suite(.timeLimit(.minutes(5))) struct EventLoopsExecutorTests {
    private func withExecutor(_ body: (EventLoopsExecutor, [any EventLoop]) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        try await body(EventLoopsExecutor(loops: group), Array(group.makeIterator()))
        try await group.shutdownGracefully()
    }

    @Test func `a task begins on one of the loops`() async throws {
        try await withExecutor { executor, loops in
            let loop = await withTaskExecutorPreference(executor) { await current() }
            #expect(loops.contains { $0 === loop })
        }
    }

    @Test func `it goes on where it was woken`() async throws {
        try await withExecutor { executor, loops in
            let visited = await withTaskExecutorPreference(executor) {
                var visited: [(any EventLoop)?] = []
                for loop in loops + loops {
                    let here = await current()
                    // By way of the loop on which the task runs, so that it has been left when it is woken.
                    await withCheckedContinuation { continuation in
                        here?.execute { loop.execute { continuation.resume() } }
                    }
                    visited.append(await current())
                }
                return visited
            }
            #expect(zip(visited, loops + loops).allSatisfy { $0 === $1 })
        }
    }

    /// What is woken from a thread that is not an event loop's runs all the same.
    @Test func `a foreign thread wakes it too`() async throws {
        try await withExecutor { executor, loops in
            let thread = LoopThread(name: "foreign", wake: {})
            let loop = await withTaskExecutorPreference(executor) {
                await withCheckedContinuation { continuation in
                    thread.submit { continuation.resume() }
                    thread.stop()
                }
                return await current()
            }
            #expect(loops.contains { $0 === loop })
        }
    }

    private nonisolated func current() async -> (any EventLoop)? { MultiThreadedEventLoopGroup.currentEventLoop }
}
