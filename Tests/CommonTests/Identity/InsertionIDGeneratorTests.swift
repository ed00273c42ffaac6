import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common

@Suite struct InsertionIDGeneratorTests {
    private static let start: UInt64 = 1_763_812_345_678

    /// A clock that a test sets.
    private final class SetClock: Sendable {
        let time = NIOLockedValueBox(start)
        var generator: InsertionIDGenerator {
            InsertionIDGenerator { Timestamp(milliseconds: self.time.withLockedValue { $0 }) }
        }
    }

    private func isRising(_ ids: [InsertionID]) -> Bool { zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 } }

    @Test func `marks version variant and time`() {
        let generator = SetClock().generator
        for _ in 0..<10_000 {
            let id = generator.next()
            #expect(id.high >> 12 & 0xF == 7 && id.low >> 62 == 0b10)
            #expect(InsertionID(id.description) == id)
        }
    }

    /// 4,096 ids fit into a millisecond; the time is carried on for the others, and no further than that.
    @Test func `rises 100,000 times while the clock stands`() {
        let generator = SetClock().generator
        let ids = (0..<100_000).map { _ in generator.next() }
        #expect(isRising(ids))
        #expect(ids.map(\.milliseconds).max() ?? 0 <= Self.start + 100_000 / 4096 + 1)
    }

    @Test(arguments: [1, 1000, start])
    func `rises while the clock goes back`(by step: UInt64) {
        let clock = SetClock()
        let generator = clock.generator
        var ids = (0..<100).map { _ in generator.next() }
        clock.time.withLockedValue { $0 -= step }
        ids += (0..<10_000).map { _ in generator.next() }
        clock.time.withLockedValue { $0 = Self.start + 5000 }
        ids.append(generator.next())
        #expect(isRising(ids))
        #expect(ids.last?.milliseconds == Self.start + 5000, "the clock leads again once it is ahead")
    }

    @Test func `follows a moving clock`() {
        let clock = SetClock()
        let generator = clock.generator
        for _ in 0..<1000 {
            let now = clock.time.withLockedValue { time in
                time += 1
                return time
            }
            #expect(generator.next().milliseconds == now)
        }
    }

    @Test func `never repeats among threads`() async {
        let generator = InsertionIDGenerator()
        let batches = await withTaskGroup(of: [InsertionID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<20_000).map { _ in generator.next() } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(batches.allSatisfy(isRising))
        #expect(Set(batches.joined()).count == 160_000)
    }

    /// Processes that start in the same millisecond share time and counter; the random bits keep them apart.
    @Test func `processes do not meet`() {
        let clock = SetClock()
        let ids = (0..<10_000).map { _ in clock.generator.next() }
        #expect(Set(ids.map(\.low)).count == ids.count)
    }

    @Test func `an ID is made of its parts`() throws {
        let ids = InsertionIDGenerator()
        for _ in 0..<100 {
            let id = ids.next()
            let parts = InsertionID(
                milliseconds: id.milliseconds, counter: id.counter, randomBits: id.randomBits)
            #expect(parts == id)
            #expect(InsertionID(parts.description) == id)
        }
        // Bits that are not a part's own are not part of the id.
        let id = InsertionID(milliseconds: 5, counter: .max, randomBits: .max)
        #expect(id.milliseconds == 5 && id.counter == 0xFFF && InsertionID(id.description) == id)
    }
}
