import Dashboard
import Queue
import TestSupport
import Testing

@testable import Common
@testable import Ingress
@testable import Redis

/// The page of the queue over HTTP: what waits, and whose dead letters are seen by whom.
@Suite(.timeLimit(.minutes(1))) struct QueuePageTests {
    private static func page(_ project: String) -> String { "/dashboard/projects/\(project)/queue" }

    @Test func `a letter is seen in its project alone`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            let (own, other) = (ingress.lostJob(), ingress.lostJob(project: "sibling"))
            try await ingress.bury(own, because: "lost <b>twice</b>")
            try await ingress.bury(other)
            let unread = "the entry's field p is not there"
            _ = try await ingress.redis.send(RedisCommand("XADD", Keys.dead, "*", "reason", unread))
            let client = try await ingress.logIn(with: DashboardKeys.client)
            let seen = try await ingress.call("GET", Self.page("main"), headers: [client])
            #expect(seen.status == 200 && seen.text.contains(own.insertionID.description), "\(seen.text)")
            #expect(seen.text.contains("lost &lt;b&gt;twice&lt;/b&gt;") && seen.text.contains("openai/gpt"))
            #expect(!seen.text.contains(other.insertionID.description), "another project's")
            #expect(!seen.text.contains("field p"), "a letter that tells no project is the operator's")
            let foreign = try await ingress.call("GET", Self.page("sibling"), headers: [client])
            #expect(foreign.status == 404)
            let admin = try await ingress.logIn(with: DashboardKeys.admin)
            let operators = try await ingress.call("GET", Self.page("sibling"), headers: [admin]).text
            #expect(operators.contains(other.insertionID.description) && operators.contains("field p"))
            #expect(!operators.contains(own.insertionID.description))
        }
    }

    @Test func `what waits is counted`() async throws {
        try await LiveIngress.run { ingress in
            async let replies = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            try await eventually { try await ingress.queued() == 1 }
            let page = try await ingress.call("GET", Self.page("main")).text
            let row = #"title="gateway/jobs">Completions</th><td class="num">1</td>"#
            #expect(page.contains(row) && page.contains("forwarders"), "\(page)")
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            _ = try await replies
            let later = try await ingress.call("GET", Self.page("main")).text
            #expect(later.contains(#"title="gateway/jobs">Completions</th><td class="num">0</td>"#))
        }
    }

    @Test func `letters go on further back`() async throws {
        try await LiveIngress.run { ingress in
            let first = ingress.lostJob()
            try await ingress.bury(first)
            for _ in 0..<DeadLetterController.pageLetters {
                try await ingress.bury(ingress.lostJob(project: "sibling"))
            }
            let page = try await ingress.call("GET", Self.page("main")).text
            #expect(!page.contains(first.insertionID.description) && page.contains("The search goes on further back"))
            let older = try #require(page.firstMatch(of: /queue\?before=([0-9-]+)/)).output.1
            let next = try await ingress.call("GET", Self.page("main") + "?before=\(older)").text
            #expect(next.contains(first.insertionID.description))
            let wrong = try await ingress.call("GET", Self.page("main") + "?before=x")
            #expect(wrong.status == 400 && wrong.text.contains("the id of an entry"))
        }
    }
}
