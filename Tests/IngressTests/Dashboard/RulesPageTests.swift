import Dashboard
import Policies
import Queue
import TestSupport
import Testing

@testable import Common
@testable import Ingress

/// The page of the rules over HTTP: what is whose to see.
@Suite(.timeLimit(.minutes(1))) struct RulesPageTests {
    private static let rules = """
        type: gateway-rate-limiting-config
        rules:
          - {id: mine, limit_to: 5, unit: requests_per_day}
          - {id: theirs, when: {subjects: ["virtualaccount:other"]}, limit_to: 5, unit: requests_per_day}
        """
    private static let page = "/dashboard/projects/main/rules?model=openai/gpt&metadata=env%3Ddev"

    private func page(_ ingress: LiveIngress, key: String?) async throws -> String {
        var headers: [String] = []
        if let key { headers.append(try await ingress.logIn(with: key)) }
        let sent = headers
        let answer = try await ingress.call("GET", Self.page, headers: sent)
        #expect(answer.status == 200, "\(answer.text)")
        return answer.text
    }

    @Test func `a client sees what concerns it`() async throws {
        let policies = try PolicyFixture.read(Self.rules)
        let plan = { (plan: inout LiveIngress.Plan) in
            plan.auth = DashboardKeys.auth
            plan.policies = policies
        }
        try await LiveIngress.run(plan) { ingress in
            let client = try await page(ingress, key: DashboardKeys.client)
            #expect(client.contains("5 requests per day; used: 0") && client.contains("admitted"))
            #expect(!client.contains("theirs") && !client.contains("gateway.yaml"))
            let operators = try await page(ingress, key: DashboardKeys.admin)
            #expect(operators.contains("theirs") && operators.contains("gateway.yaml:3"), "\(operators)")
            // Nothing was counted.
            let again = try await page(ingress, key: DashboardKeys.client)
            #expect(again.contains("used: 0"))
        }
    }

    @Test func `what a description lacks is told`() async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("GET", "/dashboard/projects/main/rules?metadata=env%3Ddev")
            #expect(answer.status == 200 && answer.text.contains("`model` is missing"), "\(answer.text)")
        }
    }
}
