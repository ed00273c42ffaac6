import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Verifier

@Suite(.timeLimit(.minutes(2))) struct FairSemaphoreTests {
    /// Has tasks wait for a permit, one after the other, and says in which order they get it.
    private static func order(
        of projects: [String], _ semaphore: FairSemaphore, freeing release: () -> Void
    ) async throws -> [String] {
        let served = NIOLockedValueBox<[String]>([])
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, project) in projects.enumerated() {
                group.addTask {
                    #expect(await semaphore.acquire(for: project))
                    served.withLockedValue { $0.append(project) }
                    semaphore.release(for: project)
                }
                try await eventually { semaphore.queued == index + 1 }
            }
            release()
            try await group.waitForAll()
            return served.withLockedValue { $0 }
        }
    }

    @Test func `projects are served by turns`() async throws {
        let semaphore = FairSemaphore(capacity: 1)
        #expect(semaphore.tryAcquire(for: "a"))
        let waiting = ["a", "a", "a", "b", "b", "c"]
        let order = try await Self.order(of: waiting, semaphore) { semaphore.release(for: "a") }
        #expect(order == ["a", "b", "c", "a", "b", "a"])
        #expect(semaphore.tryAcquire(for: "a"), "the permit is back")
    }

    /// One whose trace store takes long leaves an eighth to the others.
    @Test(arguments: [(1, 1), (2, 1), (7, 6), (64, 56), (100, 88)])
    func `one project does not take all`(_ capacity: Int, _ most: Int) {
        let semaphore = FairSemaphore(capacity: capacity)
        #expect((0..<capacity).count { _ in semaphore.tryAcquire(for: "a") } == most)
        let others = (0..<capacity).count { semaphore.tryAcquire(for: "other \($0)") }
        #expect(others == capacity - most, "each of the others has one at once")
    }

    @Test func `what is kept for others goes to them before those that wait longer`() async throws {
        let semaphore = FairSemaphore(capacity: 2)
        #expect(semaphore.tryAcquire(for: "a"))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { await semaphore.acquire(for: "a") }
            try await eventually { semaphore.queued == 1 }
            #expect(semaphore.longestWait(at: .now + .seconds(9)) >= .seconds(9))
            #expect(semaphore.tryAcquire(for: "b"))
            semaphore.release(for: "b")
            #expect(semaphore.queued == 1, "the second permit is not for the first project")
            semaphore.release(for: "a")
            #expect(try await group.next() == true)
        }
        #expect(semaphore.longestWait() == .zero)
    }

    @Test func `a task that is cancelled takes none`() async throws {
        let semaphore = FairSemaphore(capacity: 1)
        #expect(semaphore.tryAcquire(for: "a"))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { await semaphore.acquire(for: "b") }
            try await eventually { semaphore.queued == 1 }
            group.cancelAll()
            #expect(try await group.next() == false)
            #expect(semaphore.queued == 0)
            // Cancelled before it asks.
            group.addTask { await semaphore.acquire(for: "b") }
            #expect(try await group.next() == false)
        }
        semaphore.release(for: "a")
        #expect(semaphore.tryAcquire(for: "b"))
    }

    /// However takers, releases and cancellations meet: in the end all permits are there, and were never too many.
    @Test func `no permit is lost or made up`() async throws {
        let semaphore = FairSemaphore(capacity: 3)
        let (inUse, most) = (NIOLockedValueBox(0), NIOLockedValueBox(0))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<600 {
                let project = "p\(number % 5)"
                group.addTask {
                    await withTaskGroup(of: Void.self) { taker in
                        taker.addTask {
                            guard await semaphore.acquire(for: project) else { return }
                            let now = inUse.withLockedValue { count in
                                count += 1
                                return count
                            }
                            most.withLockedValue { $0 = max($0, now) }
                            await Task.yield()
                            inUse.withLockedValue { $0 -= 1 }
                            semaphore.release(for: project)
                        }
                        if number % 3 == 0 {
                            await Task.yield()
                            taker.cancelAll()
                        }
                    }
                }
            }
        }
        #expect(semaphore.queued == 0 && (1...3).contains(most.withLockedValue { $0 }))
        #expect((0..<3).count { semaphore.tryAcquire(for: "last \($0)") } == 3)
    }
}
