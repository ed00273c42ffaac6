import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Verifier

@Suite(.timeLimit(.minutes(2))) struct QuestionSlotTests {
    /// A clock whose sleeps end with their task alone.
    private static let still = VerifierClock(
        now: { 0 }, sleep: { _ in for await _ in AsyncStream<Void>.makeStream().stream {} })

    @Test(arguments: [(1, [1, 0, 0]), (2, [1, 1, 0]), (100, [50, 25, 13]), (4096, [2048, 1024, 512])])
    func `a project has half of the places that are free`(_ capacity: Int, _ shares: [Int]) {
        let refusals = Counter()
        let limit = WaiterLimit(capacity: capacity) { refusals.add() }
        for (project, share) in zip(["a", "b", "c"], shares) {
            var taken = 0
            while limit.enter(project) { taken += 1 }
            #expect(taken == share, "\(project)")
        }
        #expect(refusals.value == 3 && limit.takeRefusals() == 3 && limit.takeRefusals() == 0)
        limit.leave("a")
        #expect(limit.count == shares.reduce(0, +) - 1 && limit.enter("a") == (capacity < 3))
    }

    @Test func `a question that waits has no permit`() async throws {
        let capacity = VerifierCapacity(concurrency: 1, waiters: 8)
        let (first, second) = (capacity.roundSlot(for: "a"), capacity.roundSlot(for: "b"))
        #expect(await first.take(within: .zero, by: Self.still))
        #expect(await !second.take(within: .zero, by: Self.still), "there is one permit, and no time")
        #expect(first.park() && first.park() && capacity.waiting == 1)
        #expect(await second.take(within: .zero, by: Self.still))
        #expect(await !first.take(within: .zero, by: Self.still))
        second.leave()
        #expect(await first.take(within: .zero, by: Self.still))
        #expect(capacity.waiting == 1, "its place is its own to the end")
        first.leave()
        first.leave()
        #expect(capacity.waiting == 0)
        #expect(await second.take(within: .zero, by: Self.still), "each permit was given back once")
        #expect(await !capacity.roundSlot(for: "c").take(within: .zero, by: Self.still))
    }

    @Test func `a slot that is left alone gives back what it has`() async {
        let capacity = VerifierCapacity(concurrency: 1, waiters: 1)
        do { #expect(await capacity.roundSlot(for: "a").take(within: .zero, by: Self.still)) }
        do { #expect(capacity.roundSlot(for: "a").park()) }
        #expect(capacity.waiting == 0)
        #expect(await capacity.roundSlot(for: "a").take(within: .zero, by: Self.still))
    }

    @Test func `a permit is waited for until the time is over`() async throws {
        let phases = NIOLockedValueBox<[String]>([])
        let capacity = VerifierCapacity(concurrency: 1, waiters: 8) { last, next in
            phases.withLockedValue { $0.append("\(last?.rawValue ?? "-") \(next?.rawValue ?? "-")") }
        }
        let first = capacity.roundSlot(for: "a")
        #expect(await first.take(within: .zero, by: Self.still))
        // By a clock whose time passes at once.
        let late = capacity.roundSlot(for: "b")
        #expect(await !late.take(within: .seconds(9), by: ManualTime().clock))
        #expect(capacity.takeTrouble(at: .now + .seconds(60)) == nil, "none waits any longer")
        late.leave()
        phases.withLockedValue { $0 = [] }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            let second = capacity.roundSlot(for: "b")
            group.addTask { await second.take(within: .seconds(9), by: Self.still) }
            try await eventually { phases.withLockedValue { $0.last } == "waiting queued" }
            try await eventually { capacity.takeTrouble(at: .now + .seconds(60)) != nil }
            #expect(capacity.takeTrouble() == nil, "a moment is not trouble")
            let trouble = capacity.takeTrouble(at: .now + .seconds(60)) ?? ""
            #expect(trouble.contains("VERIFIER_CONCURRENCY is 1"), "\(trouble)")
            first.leave()
            #expect(try await group.next() == true)
            second.leave()
        }
        #expect(
            phases.withLockedValue { $0 } == [
                "- waiting", "waiting queued", "working -", "queued working", "working -",
            ])
    }

    /// More than may wait are told so at once, and the operator too.
    @Test func `there is a bound of those that wait for a permit`() async throws {
        let capacity = VerifierCapacity(concurrency: 1, waiters: 1)
        let first = capacity.roundSlot(for: "a")
        #expect(await first.take(within: .zero, by: Self.still))
        let waiting = capacity.roundSlot(for: "b")
        #expect(waiting.park())
        #expect(await !capacity.roundSlot(for: "c").take(within: .seconds(9), by: Self.still))
        #expect(!first.park(), "it keeps its permit")
        #expect(await !waiting.take(within: .zero, by: Self.still))
        #expect(capacity.takeTrouble()?.contains("VERIFIER_WAITERS is 1") == true)
        #expect(capacity.takeTrouble() == nil)
        waiting.leave()
        #expect(first.park())
    }

    /// An answer with traces whose reader is slow keeps its permit, and holds up no round.
    @Test func `rounds and answers have permits of their own`() async {
        let capacity = VerifierCapacity(concurrency: 1, waiters: 8)
        let answer = capacity.answerSlot(for: "a")
        #expect(await answer.take(within: .zero, by: Self.still))
        #expect(await !capacity.answerSlot(for: "b").take(within: .zero, by: Self.still))
        #expect(await capacity.roundSlot(for: "a").take(within: .zero, by: Self.still))
        #expect(capacity.mostQuestions > 1 + 1 + 8)
    }
}
