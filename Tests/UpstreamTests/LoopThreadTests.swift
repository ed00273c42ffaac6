import TestSupport
import Testing

@testable import Common
@testable import Upstream

@Suite(.timeLimit(.minutes(5))) struct LoopThreadTests {
    private actor Pinned {
        nonisolated let thread: LoopThread
        private(set) var count = 0
        nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

        init(_ thread: LoopThread) { self.thread = thread }

        func add() { count += 1 }
    }

    /// A loop whose turns block on a real poll. Counts its wake-ups.
    private static func makeLoop() throws -> (thread: LoopThread, wakes: Counter, start: @Sendable () -> Void) {
        let poll = try EventPoll()
        let wakes = Counter()
        let thread = LoopThread(name: "test-loop") {
            wakes.add(1)
            poll.wake()
        }
        return (
            thread, wakes,
            { thread.start { mayBlock in poll.wait(timeout: mayBlock ? nil : .zero) { _, _, _ in } } }
        )
    }

    @Test func `jobs from many tasks run one at a time`() async throws {
        let (thread, _, start) = try Self.makeLoop()
        start()
        let pinned = Pinned(thread)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { for _ in 0..<100 { await pinned.add() } } }
        }
        #expect(await pinned.count == 10_000)
        thread.stop()
    }

    @Test func `what comes before the start and after the end still runs`() async throws {
        let (thread, _, start) = try Self.makeLoop()
        let pinned = Pinned(thread)
        thread.submit { pinned.assumeIsolated { $0.add() } }
        start()
        #expect(await pinned.count == 1)
        thread.stop()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { for _ in 0..<20 { await pinned.add() } } }
        }
        #expect(await pinned.count == 1_001)
    }

    @Test func `a loop that was never started can be stopped, and runs what waited`() async throws {
        let (thread, _, _) = try Self.makeLoop()
        let ran = TestSignal()
        thread.submit { ran.send() }
        thread.stop()
        await ran.wait()
    }

    @Test func `other threads are told apart`() throws {
        let (thread, _, start) = try Self.makeLoop()
        start()
        #expect(thread.isIsolatingCurrentContext() == false)
        thread.stop()
        #expect(thread.isIsolatingCurrentContext() == false)
    }
}
