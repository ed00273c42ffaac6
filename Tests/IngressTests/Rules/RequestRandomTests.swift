import TestSupport
import Testing

@testable import Common
@testable import Ingress

struct RequestRandomTests {
    /// The ids of one moment differ in a few bits of their time alone, and in their random ones.
    @Test func `ids of a moment are spread evenly`() {
        let ids = InsertionIDGenerator(now: { 1_800_000_000_000 })
        var shares = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            var random = RequestRandom(ids.next())
            shares[Int(Double.random(in: 0..<10, using: &random))] += 1
        }
        // Six standard deviations of a share of 1,000.
        #expect(shares.allSatisfy { (820...1180).contains($0) }, "\(shares)")
    }

    @Test func `a request's numbers are its own`() {
        let ids = InsertionIDGenerator()
        let (id, other) = (ids.next(), ids.next())
        func numbers(_ id: InsertionID) -> [UInt64] {
            var random = RequestRandom(id)
            return (0..<4).map { _ in random.next() }
        }
        #expect(numbers(id) == numbers(id))
        #expect(Set(numbers(id) + numbers(other)).count == 8)
    }
}
