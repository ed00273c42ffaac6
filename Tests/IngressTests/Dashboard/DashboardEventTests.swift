import Common
import Dashboard
import NIOConcurrencyHelpers
import Queue
import RequestLog
import TestSupport
import Testing

@testable import Ingress

/// Event streams of pages: what a browser with a page open is sent.
@Suite(.timeLimit(.minutes(5))) struct DashboardEventTests {
    private static let events = "Accept: text/event-stream"
    private static let rollouts = "/dashboard/projects/main/rollouts"

    /// The next event's name and data; nil at the stream's end. What says nothing is left out.
    private func event(_ client: RawClient) async throws -> (name: String, data: String)? {
        while let chunk = try await client.chunk() {
            let lines = String(decoding: chunk, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            guard let name = lines.first, name.hasPrefix("event: ") else { continue }
            let data = lines.filter { $0.hasPrefix("data: ") }.map { $0.dropFirst("data: ".count) }
            return (String(name.dropFirst("event: ".count)), data.joined(separator: "\n"))
        }
        return nil
    }

    private func open(_ client: RawClient, path: String, headers: [String] = []) async throws -> HTTPAnswer {
        try await client.send("GET", path, headers: [Self.events] + headers)
        return try await client.head()
    }

    @Test func `a page is sent when it changes`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                let head = try await open(client, path: Self.rollouts)
                #expect(head.status == 200 && head["content-type"] == "text/event-stream")
                #expect(head["cache-control"] == "no-store" && head["content-security-policy"] != nil)
                async let answering: Void = ingress.forwarder.answer(next: 1) { _ in "{}" }
                _ = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
                try await answering
                let next = try #require(try await event(client))
                #expect(next.name == "page" && next.data.contains(">r1<"))
            }
        }
    }

    @Test func `a browser that leaves makes place for another`() async throws {
        try await LiveIngress.run({ $0.settings.http.dashboardStreams = 1 }) { ingress in
            try await ingress.connect { client in
                #expect(try await open(client, path: Self.rollouts).status == 200)
                let refused = try await ingress.call("GET", Self.rollouts, headers: [Self.events])
                #expect(refused.status == 503 && refused["retry-after"] == "15")
                #expect(refused.text.contains("DASHBOARD_STREAMS"))
                let page = try await ingress.call("GET", Self.rollouts)
                #expect(page.status == 200, "pages themselves are shown")
            }
            // At once, and not with the page's next turn.
            try await eventually(within: .seconds(4)) {
                try await ingress.connect { client in try await open(client, path: Self.rollouts).status == 200 }
            }
        }
    }

    @Test func `a session that ends ends its streams`() async throws {
        let keys = DashboardKeys.auth
        try await LiveIngress.run({ $0.auth = keys }) { ingress in
            let cookie = try await ingress.logIn(with: DashboardKeys.client)
            try await ingress.connect { client in
                #expect(try await open(client, path: Self.rollouts, headers: [cookie]).status == 200)
                keys.replaceEntries(with: [])
                let last = try #require(try await event(client))
                #expect(last.name == "reload" && last.data.isEmpty)
                #expect(try await event(client) == nil)
            }
        }
    }

    @Test func `others see nothing`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            let cookie = try await ingress.logIn(with: DashboardKeys.client)
            for (path, headers) in [
                (Self.rollouts, []), (Self.rollouts, ["Cookie: \(SessionToken.cookie)=x"]),
                ("/dashboard/projects/sibling/rollouts", [cookie]), ("/dashboard/projects/none", [cookie]),
            ] {
                try await ingress.connect { client in
                    #expect(try await open(client, path: path, headers: headers).status == 200)
                    let only = try #require(try await event(client))
                    #expect(only.name == "reload" && only.data.isEmpty, "the page itself says what is wrong")
                    #expect(try await event(client) == nil)
                }
            }
        }
    }

    /// A page that takes long is made less often. The time for which a slow trace store is waited for does not count: a
    /// rollout is followed all the same.
    @Test func `a page does not rest for what it waited for a verdict`() async throws {
        try await LiveIngress.run { ingress in
            try await withRedisClient(ingress.server.endpoint) { reader in
                let verifier = ScriptedForwarder(
                    commands: ingress.redis, reader: reader, envelope: ingress.forwarder.envelope, queue: .verifications
                )
                try await verifier.join()
                async let answering: Void = ingress.forwarder.answer(next: 1) { _ in "{}" }
                _ = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
                try await answering
                try await ingress.connect { client in
                    #expect(try await open(client, path: Self.rollouts).status == 200)
                    for _ in 0..<2 {
                        // The second one comes within the minute that `take` waits.
                        let question = try await verifier.take()
                        #expect(question.job.path == "/rollouts/r1")
                        let isSlow = ContinuousClock.now + .milliseconds(500)
                        try await eventually { ContinuousClock.now > isSlow }
                        try await verifier.answer(
                            question,
                            body: #"{"rollout_id":"r1","verdict":"incomplete","expected":1,"traced":0,"in_flight":1}"#)
                    }
                }
            }
        }
    }

    /// A browser that is answered so does not ask again by itself.
    @Test func `a page that stays has no stream`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.withRequestLog { _, _, _ in
                .json(#"{"data":[],"next_cursor":null}"#)
            } _: {
                let old = try await ingress.call(
                    "GET", "/dashboard/projects/main/requests?cursor=x", headers: [Self.events])
                #expect(old.status == 204 && old.body.isEmpty)
            }
        }
    }
}
