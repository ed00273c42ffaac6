import TestSupport
import Testing

@testable import Common
@testable import Queue

@Suite struct RedisClockTests {
    /// An hour ahead, an hour behind, and times that no arithmetic may trap on.
    @Test(arguments: [3_600_000, -3_600_000, 0] as [Int64]) func `follows the server's time`(_ difference: Int64) {
        let clock = RedisClock()
        let before = Timestamp.now
        clock.set(before + difference)
        let now = clock.now - difference
        #expect((before - 1...Timestamp.now + 1).contains(now))
    }

    /// Who is taken for dead is decided by keys that Redis forgets while it is away; so it must have been there for a
    /// while.
    @Test func `is steady only without a break`() {
        let clock = RedisClock()
        let start = ContinuousClock.now
        #expect(!clock.isSteady(for: .zero, at: start))
        clock.set(0, at: start)
        clock.set(0, at: start + .seconds(5))
        #expect(!clock.isSteady(for: .seconds(10), at: start + .seconds(9)))
        #expect(clock.isSteady(for: .seconds(10), at: start + .seconds(10)))
        clock.lose()
        #expect(!clock.isSteady(for: .seconds(10), at: start + .seconds(11)))
        clock.set(0, at: start + .seconds(12))
        #expect(!clock.isSteady(for: .seconds(10), at: start + .seconds(21)))
    }

    /// A step of this machine's clock between two heartbeats changes nothing.
    @Test func `goes on by itself`() {
        let clock = RedisClock()
        let start = ContinuousClock.now
        clock.set(1_000_000, at: start)
        #expect(clock.now(at: start + .seconds(4)) == 1_004_000)
        clock.set(5_000, at: start + .seconds(5))
        #expect(clock.now(at: start + .seconds(6)) == 6_000)
    }

    @Test func `is this machines until it is set`() {
        let before = Timestamp.now
        let now = RedisClock().now
        #expect((before...Timestamp.now).contains(now))
    }
}
