import Dashboard
import NIOConcurrencyHelpers
import Policies
import Queue
import RequestLog
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

    private static let counted = """
        type: gateway-rate-limiting-config
        rules:
          - {id: all, limit_to: 5, unit: requests_per_day}
          - id: customers
            limit_to: 4
            unit: requests_per_hour
            rate_limit_applies_per: [metadata.customer-id]
          - {id: sized, limit_to: 100000, unit: tokens_per_minute, rate_limit_applies_per: [account]}
          - {id: idle, when: {models: [never/called]}, limit_to: 9, unit: requests_per_day}
        """

    private static func logged(_ customer: String) -> String {
        """
        {"account":"team","user":null,"teams":[],"model_asked":"openai/gpt","metadata":{"customer-id":"\(customer)"},\
        "rollout_id":"r1","invocation_id":"i1","experiment_id":"e1","run_id":"n1","row_id":"7"}
        """
    }

    private func call(_ ingress: LiveIngress, as customer: String, key: String?) async throws {
        var headers = [#"X-TFY-METADATA: {"customer-id":"\#(customer)"}"#]
        if let key { headers.append("Authorization: Bearer \(key)") }
        let sent = headers
        async let answer = ingress.call("POST", LiveIngress.path, headers: sent, body: LiveIngress.body)
        try await ingress.forwarder.answer(next: 1) { _ in "{}" }
        #expect(try await answer.status == 200)
    }

    /// What each limit holds is seen without describing a request: the values for which it is counted apart come from
    /// the log. A client is told nothing of a value that any client may claim.
    @Test func `current usage is shown`() async throws {
        let policies = try PolicyFixture.read(Self.counted)
        let plan = { (plan: inout LiveIngress.Plan) in
            plan.auth = DashboardKeys.auth
            plan.policies = policies
        }
        try await LiveIngress.run(plan) { ingress in
            for customer in ["acme", "acme", "acme", "globex"] {
                try await call(ingress, as: customer, key: DashboardKeys.client)
            }
            // Without a log, limits with one counter are known.
            let without = try await page(ingress, key: DashboardKeys.admin)
            #expect(without.contains("4 of 5 requests per day") && without.contains("Not all is known"))
            let asked = NIOLockedValueBox<[String]>([])
            try await ingress.withRequestLog { path, query, asker in
                let text = query.items.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
                asked.withLockedValue { $0.append("\(asker.project) \(path)?\(text)") }
                return .json(
                    path == "/logs/requests"
                        ? #"{"data":[\#(["acme", "globex", "acme", "none"].map(Self.logged).joined(separator: ","))],"next_cursor":null}"#
                        : "{}")
            } _: {
                let operators = try await page(ingress, key: DashboardKeys.admin)
                for text in [
                    "Limits in use", "by the latest 4 requests", "4 of 5 requests per day", ">80%<",
                    "3 of 4 requests per hour", "1 of 4 requests per hour", "<bdi>acme</bdi>", "<bdi>globex</bdi>",
                    "<bdi>team</bdi>", "of 100,000 tokens per minute", "0 of 9 requests per day",
                ] {
                    #expect(operators.contains(text), "\(text): \(operators)")
                }
                #expect(!operators.contains("<bdi>none</bdi>"), "an empty counter beside others is none in use")
                #expect(operators.ranges(of: "of 4 requests per hour").count == 2)
                let client = try await page(ingress, key: DashboardKeys.client)
                #expect(client.contains("4 of 5 requests per day") && client.contains("of 100,000 tokens"))
                #expect(!client.contains("of 4 requests per hour") && client.contains("3 more belong to values"))
                #expect(!client.contains("of 9 requests"), "no request of the project met it")
            }
            let questions = asked.withLockedValue { $0 }.filter { $0.contains("/logs/requests") }
            #expect(questions.first == "main /logs/requests?rule[present]=&from=24h&limit=500")
        }
    }

    @Test func `what a description lacks is told`() async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("GET", "/dashboard/projects/main/rules?metadata=env%3Ddev")
            #expect(answer.status == 200 && answer.text.contains("`model` is missing"), "\(answer.text)")
        }
    }
}
