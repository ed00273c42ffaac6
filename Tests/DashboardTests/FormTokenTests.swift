import Common
import Testing

@testable import Dashboard

struct FormTokenTests {
    @Test func `it is of one session and one gateway`() {
        let envelope = Envelope(key: .random())
        let token = FormToken(session: "one", envelope: envelope)
        #expect(token.matches(FormToken(session: "one", envelope: envelope).text), "any ingress makes the same")
        #expect(!token.matches(FormToken(session: "two", envelope: envelope).text))
        #expect(!token.matches(FormToken(session: "one", envelope: Envelope(key: .random())).text))
        #expect(!token.text.contains("one"))
    }

    @Test func `nothing else matches`() {
        let token = FormToken(session: "", envelope: Envelope(key: .random()))
        let last = token.text.hasSuffix("0") ? "1" : "0"
        for text in [nil, "", String(token.text.dropLast()), token.text + "0", String(token.text.dropLast()) + last] {
            #expect(!token.matches(text))
        }
    }

    @Test(arguments: [
        ("/dashboard/projects/p/queue/1-0/requeue", DashboardRoute.action(.requeue("1-0"), project: "p")),
        ("/dashboard/projects/p/queue/1-0/delete", .action(.delete("1-0"), project: "p")),
        ("/dashboard/projects/p/queue/1-0/other", nil), ("/dashboard/projects/p/queue/1-0", nil),
        ("/dashboard/projects/p/queue", .page(.queue, project: "p")),
    ])
    func `actions have addresses`(path: String, route: DashboardRoute?) { #expect(DashboardRoute(path) == route) }

    /// Behind the login a browser is sent to pages alone.
    @Test func `no action is a page`() {
        #expect(Dashboard.ownPath("/dashboard/projects/p/queue/1-0/delete") == "/dashboard")
    }
}
