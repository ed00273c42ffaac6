import Common
import TestSupport
import Testing

@testable import Dashboard

struct RolloutChecksTests {
    /// A page of many open rollouts has each of them checked, some at each turn, and shows what it found before.
    @Test func `all rollouts are checked in turn`() async {
        let names = (0..<50).map { "r\($0)" }
        let listed = names.map {
            #"{"rollout_id":"\#($0)","last_completion_at":"2026-11-22T19:26:39.120Z","expected":1,"failed":0,"verdict":null}"#
        }
        let verdict = #"{"verdict":"incomplete","expected":1,"traced":0,"in_flight":1,"failed":0,"missing":[]}"#
        let source = PlayedSource(
            [("/rollouts", #"{"rollouts":[\#(listed.joined(separator: ","))]}"#)]
                + names.map { ("/rollouts/\($0)", verdict) })
        let (checks, dashboard) = (RolloutChecks(), Dashboard(now: { 1_790_000_000_000 }))
        for checked in [20, 40, 50] {
            let page = await dashboard.page(
                .rollouts, of: "p", for: Viewer(projects: ["p"]), query: nil, checks: checks, asking: source)
            let html = String(decoding: page.body, as: UTF8.self)
            #expect(html.ranges(of: "aria-label=\"1 in flight\"").count == checked)
        }
        #expect(Set(source.questions.filter { $0.hasPrefix("/rollouts/") }.map { UTF8Text($0) }).count == 50)
    }

    /// One that is complete by now, or gone, is forgotten; one whose check failed has had its turn.
    @Test func `those come first whose check is the longest ago`() async {
        let checks = RolloutChecks()
        #expect(await checks.begin(["a", "b", "c"]) == [0, 1, 2])
        await checks.note("a", RolloutProgress())
        await checks.note("b", nil)
        #expect(await checks.begin(["a", "b", "c"]) == [2, 0, 1])
        await checks.note("c", RolloutProgress())
        #expect(await checks.begin(["a", "c"]) == [0, 1])
        #expect(await checks.begin(["a", "b", "c"]) == [1, 0, 2])
        #expect(await checks.progress(of: "c") != nil)
    }
}
