@testable import Common
import Testing

@Suite struct RedisBackoffTests {
    private struct Constant: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test(arguments: [(UInt64.min, 0.5), (UInt64.max, 1.0)])
    func doublesToASecondWithJitter(_ random: UInt64, _ share: Double) {
        var backoff = RedisBackoff()
        var generator = Constant(value: random)
        let ceilings = [20, 40, 80, 160, 320, 640, 1000, 1000]
        for ceiling in ceilings {
            let wait = backoff.next(using: &generator)
            let difference = wait - .milliseconds(ceiling) * share
            #expect(abs(difference / .milliseconds(1)) < 0.01, "\(wait) for a ceiling of \(ceiling) ms")
        }
    }
}
