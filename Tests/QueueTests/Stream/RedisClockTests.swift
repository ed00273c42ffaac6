import TestSupport
import Testing

@testable import Common
@testable import Queue

@Suite struct RedisClockTests {
    private let clock = RedisClock()
    private let start = ContinuousClock.now

    /// An answer that came at once.
    private func learn(_ time: Timestamp, at instant: ContinuousClock.Instant) {
        clock.learn(time, asked: instant, answered: instant)
    }

    /// An hour ahead, an hour behind, and times that no arithmetic may trap on.
    @Test(arguments: [3_600_000, -3_600_000, 0] as [Int64]) func `follows the server's time`(_ difference: Int64) {
        let before = Timestamp.now
        clock.learn(before + difference, asked: .now)
        let now = clock.now - difference
        #expect((before - 1...Timestamp.now + 1).contains(now))
    }

    /// Who is taken for dead is decided by keys that Redis forgets while it is away; so it must have been there for a
    /// while.
    @Test func `is steady only without a break`() {
        #expect(!clock.isSteady(for: .zero, at: start))
        learn(0, at: start)
        learn(0, at: start + .seconds(5))
        #expect(!clock.isSteady(for: .seconds(10), at: start + .seconds(9)))
        #expect(clock.isSteady(for: .seconds(10), at: start + .seconds(10)))
        clock.lose()
        #expect(!clock.isSteady(for: .seconds(10), at: start + .seconds(11)))
        learn(0, at: start + .seconds(12))
        #expect(!clock.isSteady(for: .seconds(10), at: start + .seconds(21)))
    }

    /// A step of this machine's clock between two answers changes nothing.
    @Test func `goes on by itself`() {
        learn(1_000_000, at: start)
        #expect(clock.time(at: start + .seconds(4)) == 1_004_000)
        learn(5_000, at: start + .seconds(5))
        #expect(clock.time(at: start + .seconds(6)) == 6_000)
    }

    @Test func `is this machines until the first answer`() {
        #expect(clock.time(at: start) == nil)
        let before = Timestamp.now
        let now = clock.now
        #expect((before...Timestamp.now).contains(now))
    }

    /// The server read its clock while the answer was under way, in the middle for all that is known.
    @Test func `an answer is of the middle of its way`() {
        clock.learn(1_000_000, asked: start, answered: start + .milliseconds(80))
        #expect(clock.time(at: start + .milliseconds(40)) == 1_000_000)
    }

    /// What a slow answer says of the clock is too vague to change it, unless it shows that it was wrong.
    @Test func `a slow answer changes nothing unless it is certain`() {
        learn(1_000_000, at: start)
        clock.learn(5_000_000, asked: start, answered: start + .seconds(2))
        #expect(clock.time(at: start + .seconds(2)) == 1_002_000)
        clock.learn(5_000_000, asked: start, answered: start + .seconds(2), isCertain: true)
        #expect(clock.time(at: start + .seconds(2)) == 5_001_000)
    }
}
