import Dashboard
import NIOConcurrencyHelpers
import Queue
import RequestLog
import TestSupport
import Testing

@testable import Common
@testable import Ingress

/// The page of audit rows over HTTP: the operator's rows are for the operator.
@Suite(.timeLimit(.minutes(1))) struct AuditPageTests {
    private func asksAsOperator(_ ingress: LiveIngress, key: String?) async throws -> [Bool] {
        let asked = NIOLockedValueBox<[Bool]>([])
        var headers: [String] = []
        if let key { headers.append(try await ingress.logIn(with: key)) }
        let sent = headers
        try await ingress.withRequestLog { path, _, asker in
            #expect(path == "/logs/audit" && asker.project == "main")
            asked.withLockedValue { $0.append(asker.isOperator) }
            return .json(#"{"data":[],"next_cursor":null}"#)
        } _: {
            let page = try await ingress.call("GET", "/dashboard/projects/main/audit", headers: sent)
            #expect(page.status == 200 && page.text.contains("No audit rows yet"), "\(page.text)")
        }
        return asked.withLockedValue { $0 }
    }

    @Test func `the operator sees the operators rows`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            let (client, admin) = (
                try await asksAsOperator(ingress, key: DashboardKeys.client),
                try await asksAsOperator(ingress, key: DashboardKeys.admin)
            )
            #expect(client == [false] && admin == [true])
        }
        try await LiveIngress.run { ingress in
            let all = try await asksAsOperator(ingress, key: nil)
            #expect(all == [true], "where no key is asked for, as in the API")
        }
    }

    @Test func `what the log says of a filter stands on the page`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.withRequestLog { _, _, _ in
                throw GatewayError.invalidQuery("kind", "has no <such> value")
            } _: {
                let answer = try await ingress.call("GET", "/dashboard/projects/main/audit?kind=x")
                #expect(answer.status == 400 && answer.text.contains("has no &lt;such&gt; value"))
                #expect(answer.text.contains("Any kind"), "the form is still there")
            }
        }
    }
}
