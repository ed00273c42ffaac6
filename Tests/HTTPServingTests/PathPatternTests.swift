import HTTPServing
import Testing

struct PathPatternTests {
    @Test(
        arguments: [
            ("/queue", "/queue", ""), ("/queue", "/queue/", nil), ("/queue", "/queues", nil), ("/queue", "/Queue", nil),
            ("/queue", "//queue", nil), ("/dead/{entry}", "/dead/1-0", "1-0"), ("/dead/{entry}", "/dead/", ""),
            ("/dead/{entry}", "/dead", nil), ("/dead/{entry}", "/dead/1-0/requeue", nil),
            ("/dead/{entry}/requeue", "/dead/1-0/requeue", "1-0"), ("/dead/{entry}/requeue", "/dead/requeue", nil),
            ("/dead/{entry}/requeue", "/dead//requeue", ""), ("/dead/{entry}/requeue", "/dead/1/0/requeue", nil),
            ("/rollouts/{+id}", "/rollouts/a/b", "a/b"), ("/rollouts/{+id}", "/rollouts/", ""),
            ("/rollouts/{+id}", "/rollouts", nil), ("/rollouts/{+id}", "/rollouts/a%2Fb", "a%2Fb"),
        ] as [(PathPattern, String, String?)])
    func `a path is compared byte by byte`(pattern: PathPattern, path: String, parameter: String?) {
        #expect(pattern.parameter(in: path) == parameter)
    }

    @Test func `a pattern is shown as documents write it`() {
        let patterns: [PathPattern] = ["/queue", "/dead/{entry}/requeue", "/rollouts/{+rollout_id}"]
        let shown = patterns.map(\.description)
        #expect(shown == ["/queue", "/dead/{entry}/requeue", "/rollouts/{rollout_id}"])
        let parameters = patterns.map(\.hasParameter)
        #expect(parameters == [false, true, true])
    }
}
