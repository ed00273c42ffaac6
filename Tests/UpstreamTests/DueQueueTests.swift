import TestSupport
import Testing

@testable import Common
@testable import Upstream

@Suite struct DueQueueTests {
    @Test func `what is due comes in the order of its times`() {
        var queue = DueQueue<String, Int>()
        for (name, due) in [("b", 2), ("d", 4), ("a", 1), ("c", 2)] { queue.add(name, due: due) }
        #expect(queue.takeDue(at: 0) == [])
        #expect(queue.takeDue(at: 2) == ["a", "b", "c"])
        #expect(queue.earliest { _, _ in true } == 4)
        #expect(queue.takeDue(at: 9) == ["d"])
        #expect(queue.isEmpty)
        #expect(queue.earliest { _, _ in true } == nil)
    }

    /// A loop that slept until the time of something that is over would wake for nothing.
    @Test func `what is not wanted is forgotten`() {
        var queue = DueQueue<String, Int>()
        for (name, due) in [("a", 1), ("b", 2), ("c", 3)] { queue.add(name, due: due) }
        #expect(queue.earliest { name, due in name == "c" && due == 3 } == 3)
        #expect(queue.takeDue(at: 9) == ["c"])
        queue.add("a", due: 1)
        #expect(queue.earliest { _, _ in false } == nil)
        #expect(queue.isEmpty)
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func `random times are sorted`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = DueQueue<Int, Int>()
        var left: [Int] = []
        for now in 0..<200 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                left.append(now + Int.random(in: 0...20, using: &random))
                queue.add(left[left.count - 1], due: left[left.count - 1])
            }
            #expect(queue.earliest { _, _ in true } == left.min())
            #expect(queue.takeDue(at: now) == left.filter { $0 <= now }.sorted())
            left.removeAll { $0 <= now }
        }
    }
}
