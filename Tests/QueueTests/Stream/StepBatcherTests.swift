import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Queue

/// Which steps go together.
@Suite(.timeLimit(.minutes(5))) struct StepBatcherTests {
    private struct Step: BatchedStep, Equatable {
        var number = 0
        var byteCount = 1
        var group: String?
    }

    private func sizes(_ steps: [Step]) -> [Int] { StepBatches.split(steps).map(\.count) }

    @Test func `as many as a script takes`() {
        #expect(StepBatches.mostSteps == 64 && sizes([]).isEmpty)
        #expect(sizes(Array(repeating: Step(), count: 64)) == [64])
        #expect(sizes(Array(repeating: Step(), count: 130)) == [64, 64, 2])
    }

    @Test func `as many bytes as a script takes`() {
        #expect(StepBatches.mostBytes == 1 << 20)
        let half = Step(byteCount: 1 << 19)
        #expect(sizes([half, half]) == [2])
        #expect(sizes([half, Step(byteCount: 1 << 19 + 1)]) == [1, 1])
        #expect(sizes([half, half, Step()]) == [2, 1])
    }

    @Test func `a larger one alone`() {
        let large = Step(byteCount: 1 << 20 + 1)
        #expect(sizes([Step(), large, Step(), Step()]) == [1, 1, 2])
        #expect(sizes([large, large]) == [1, 1])
    }

    @Test func `only what is for one consumer`() {
        let (a, b, none) = (Step(group: "a"), Step(group: "b"), Step())
        #expect(sizes([none, a, none, a]) == [4])
        #expect(sizes([a, b, none, a]) == [1, 2, 1])
        #expect(sizes([none, a, b]) == [2, 1])
    }

    @Test(arguments: UInt64(1)...20) func `keeps the order and the bounds`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let steps = (0..<300).map { number in
            Step(
                number: number, byteCount: 1 << random.below(22),
                group: random.chance(oneIn: 3) ? random.pick(["a", "b"]) : nil)
        }
        let batches = StepBatches.split(steps)
        #expect(batches.flatMap { $0 } == steps)
        for batch in batches {
            #expect(batch.count <= StepBatches.mostSteps)
            #expect(batch.count == 1 || batch.reduce(0) { $0 + $1.byteCount } <= StepBatches.mostBytes)
            #expect(batch.compactMap(\.group).allSatisfy { $0 == batch.compactMap(\.group).first })
        }
    }

    /// What comes while the turn lasts leaves at its end, and what comes then at the end of the next.
    @Test func `leaves at the end of the turn`() throws {
        let loop = EmbeddedEventLoop()
        let sent = NIOLockedValueBox<[[Int]]>([])
        let batcher = StepBatcher<Step>(on: loop) { steps in sent.withLockedValue { $0.append(steps.map(\.number)) } }
        for number in 0..<3 { batcher.submit(Step(number: number)) }
        #expect(sent.withLockedValue { $0 }.isEmpty)
        loop.run()
        #expect(sent.withLockedValue { $0 } == [[0, 1, 2]])
        batcher.submit(Step(number: 3))
        loop.run()
        #expect(sent.withLockedValue { $0 } == [[0, 1, 2], [3]])
        try loop.close()
    }
}
