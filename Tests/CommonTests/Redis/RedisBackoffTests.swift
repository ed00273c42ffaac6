import Testing

@testable import Common

@Suite struct RedisBackoffTests {
    /// SplitMix64 (https://prng.di.unimi.it/splitmix64.c).
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var word = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
            return word ^ (word >> 31)
        }
    }

    @Test func doublesToASecondWithJitter() {
        let ceilings = [20, 40, 80, 160, 320, 640, 1000, 1000].map(Duration.milliseconds)
        var firsts: Set<Duration> = []
        for seed in 0..<50 {
            var generator = Seeded(state: UInt64(seed))
            var backoff = RedisBackoff()
            let waits = ceilings.map { _ in backoff.next(using: &generator) }
            for (wait, ceiling) in zip(waits, ceilings) { #expect(wait >= ceiling / 2 && wait <= ceiling, "seed \(seed)") }
            firsts.insert(waits[0])
        }
        #expect(firsts.count == 50, "clients that wait alike come at once")
    }
}
