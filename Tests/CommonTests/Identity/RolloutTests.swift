import Common
import Testing

struct RolloutTests {
    @Test func `name and project together tell rollouts apart`() {
        let all = [
            Rollout("r", project: "p"), Rollout("r", project: "q"), Rollout("s", project: "p"),
            Rollout("p", project: "r"),
            Rollout("", project: "pr"), Rollout("pr", project: ""),
        ]
        #expect(Set(all).count == all.count)
        #expect(Rollout("r", project: "p") == all[0])
    }

    /// Redis compares bytes, and so do paths.
    @Test func `names that look alike are two`() {
        let composed = Rollout("\u{e9}", project: "p")
        let decomposed = Rollout("e\u{301}", project: "p")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
    }
}
