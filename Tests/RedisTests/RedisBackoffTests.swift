import TestSupport
import Testing

@testable import Common
@testable import Redis

@Suite struct RedisBackoffTests {
    @Test func `doubles to a second with jitter`() {
        let ceilings = [20, 40, 80, 160, 320, 640, 1000, 1000].map(Duration.milliseconds)
        var firsts: Set<Duration> = []
        for seed in 0..<50 {
            var generator = SeededRandom(seed: UInt64(seed))
            var backoff = RedisBackoff()
            let waits = ceilings.map { _ in backoff.next(using: &generator) }
            for (wait, ceiling) in zip(waits, ceilings) {
                #expect(wait >= ceiling / 2 && wait <= ceiling, "seed \(seed)")
            }
            firsts.insert(waits[0])
        }
        #expect(firsts.count == 50, "clients that wait alike come at once")
    }
}
