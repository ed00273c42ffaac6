import Testing

@testable import Common

@Suite struct WatchStateTests {
    private let now = ContinuousClock.now
    private static func refusal(_ code: String) -> RedisTrouble { .refuses(code: code) }

    @Test func `a trouble is said once and its end`() {
        var state = WatchState()
        #expect(state.see(.good, now: now) == nil)
        #expect(state.see(.trouble(Self.refusal("OOM")), now: now) == .begins(Self.refusal("OOM")))
        for second in 1..<100 { #expect(state.see(.trouble(Self.refusal("OOM")), now: now + .seconds(second)) == nil) }
        #expect(state.trouble == Self.refusal("OOM"))
        #expect(state.see(.good, now: now + .seconds(100)) == .isOver(Self.refusal("OOM")))
        #expect(state.trouble == nil)
        #expect(state.see(.good, now: now + .seconds(101)) == nil)
    }

    @Test func `another trouble is said`() {
        var state = WatchState()
        #expect(state.see(.trouble(Self.refusal("OOM")), now: now) == .begins(Self.refusal("OOM")))
        #expect(state.see(.trouble(Self.refusal("MISCONF")), now: now) == .begins(Self.refusal("MISCONF")))
        #expect(state.see(.trouble(.otherKey), now: now) == .begins(.otherKey))
    }

    @Test func `a trouble that goes on is said again after a while`() {
        var state = WatchState()
        _ = state.see(.trouble(.otherKey), now: now)
        #expect(state.see(.trouble(.otherKey), now: now + .seconds(599)) == nil)
        #expect(state.see(.trouble(.otherKey), now: now + .seconds(600)) == .goesOn(.otherKey, for: .seconds(600)))
        #expect(state.see(.trouble(.otherKey), now: now + .seconds(601)) == nil)
        #expect(state.see(.trouble(.otherKey), now: now + .seconds(1200)) == .goesOn(.otherKey, for: .seconds(1200)))
    }

    /// While Redis is away nothing is learnt of it.
    @Test func `an absence ends no trouble`() {
        var state = WatchState()
        _ = state.see(.trouble(Self.refusal("OOM")), now: now)
        #expect(state.see(.away, now: now) == nil)
        #expect(state.trouble == Self.refusal("OOM"))
        #expect(state.see(.trouble(Self.refusal("OOM")), now: now) == nil)
    }

    /// Work is taken once the key was seen to be right, until it is seen to be another. A refusal says nothing of it.
    @Test func `only a sight of the key tells of it`() {
        var state = WatchState()
        let sights: [(WatchState.Sight, Bool)] = [
            (.away, false), (.trouble(Self.refusal("LOADING")), false), (.good, true), (.away, true),
            (.trouble(Self.refusal("OOM")), true),
            (.trouble(.otherKey), false), (.away, false), (.trouble(Self.refusal("OOM")), false), (.good, true),
            (.trouble(.otherKey), false),
            (.keyReplaced, true),
        ]
        for (sight, isRight) in sights {
            _ = state.see(sight, now: now)
            #expect(state.hasRightKey == isRight, "\(sight)")
        }
    }
}
