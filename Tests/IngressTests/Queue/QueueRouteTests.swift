import Dashboard
import Queue
import TestSupport
import Testing

@testable import Common
@testable import Ingress
@testable import Redis

/// The queue and its dead letters over HTTP: what scripts of the operator's read and do.
@Suite(.timeLimit(.minutes(1))) struct QueueRouteTests {
    private static let admin = "Authorization: Bearer \(DashboardKeys.admin)"
    private static let client = "Authorization: Bearer \(DashboardKeys.client)"

    private static func run(_ body: @Sendable (LiveIngress) async throws -> Void) async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }, body)
    }

    private static func call(
        _ ingress: LiveIngress, _ method: String, path: String, as header: String? = admin
    ) async throws -> HTTPAnswer {
        try await ingress.call(method, "/v1" + path, headers: header.map { [$0] } ?? [])
    }

    @Test func `letters are listed`() async throws {
        try await Self.run { ingress in
            let (own, other) = (ingress.lostJob(), ingress.lostJob(project: "sibling"))
            let entry = try await ingress.bury(own, because: "lost")
            try await ingress.bury(other)
            let answer = try await Self.call(ingress, "GET", path: "/queue/dead")
            #expect(answer.status == 200 && answer["content-type"] == "application/json")
            #expect(answer.text.contains(#""entry":"\#(entry)""#) && answer.text.contains(#""project_id":"main""#))
            #expect(answer.text.contains(own.insertionID.description) && answer.text.contains(#""refusal":null"#))
            #expect(!answer.text.contains(other.insertionID.description), "another project's")
            let before = try await Self.call(ingress, "GET", path: "/queue/dead?before=\(entry)")
            #expect(before.text == #"{"letters":[],"next":null}"#)
            let sibling = try await Self.call(ingress, "GET", path: "/project_id/sibling/queue/dead")
            #expect(sibling.text.contains(other.insertionID.description))
            let state = try await Self.call(ingress, "GET", path: "/queue")
            #expect(state.status == 200 && state.text.contains(#""gateway_dead_letters":2"#), "\(state.text)")
        }
    }

    @Test func `a letter is requeued once`() async throws {
        try await Self.run { ingress in
            let old = ingress.lostJob()
            let entry = try await ingress.bury(old)
            let answer = try await Self.call(ingress, "POST", path: "/queue/dead/\(entry)/requeue")
            #expect(answer.status == 200, "\(answer.text)")
            let taken = try await ingress.forwarder.take().job
            #expect(answer.text == #"{"entry":"\#(entry)","insertion_id":"\#(taken.insertionID)"}"#)
            #expect(taken.body == old.body && taken.insertionID != old.insertionID)
            #expect(taken.metadata["requeued_from"]?.value == old.insertionID.description)
            let again = try await Self.call(ingress, "POST", path: "/queue/dead/\(entry)/requeue")
            #expect(again.status == 404 && again.text.contains("unknown_dead_letter"))
            #expect(try await ingress.queued() == 1)
            #expect(try await ingress.letters() == 0)
        }
    }

    @Test func `a letter is deleted once`() async throws {
        try await Self.run { ingress in
            let (entry, other) = (
                try await ingress.bury(ingress.lostJob()), try await ingress.bury(ingress.lostJob(project: "sibling"))
            )
            let foreign = try await Self.call(ingress, "DELETE", path: "/queue/dead/\(other)")
            #expect(foreign.status == 404, "it is another project's")
            let answer = try await Self.call(ingress, "DELETE", path: "/queue/dead/\(entry)")
            #expect(answer.status == 200 && answer.text == #"{"entry":"\#(entry)","deleted":true}"#)
            let again = try await Self.call(ingress, "DELETE", path: "/queue/dead/\(entry)")
            #expect(again.status == 404)
            #expect(try await ingress.letters() == 1)
        }
    }

    @Test func `only the operator asks`() async throws {
        try await Self.run { ingress in
            let entry = try await ingress.bury(ingress.lostJob())
            for (method, path) in [
                ("GET", "/queue"), ("GET", "/queue/dead"), ("DELETE", "/queue/dead/\(entry)"),
                ("POST", "/queue/dead/\(entry)/requeue"),
            ] {
                let client = try await Self.call(ingress, method, path: path, as: Self.client)
                #expect(client.status == 403 && client.text.contains("operator_only"), "\(method) \(path)")
                let stranger = try await Self.call(ingress, method, path: path, as: nil)
                #expect(stranger.status == 401)
            }
            #expect(try await ingress.letters() == 1)
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test(arguments: [false, true]) func `without keys a setting opens it`(isOpen: Bool) async throws {
        try await LiveIngress.run({ $0.settings.http.dashboardAdmin = isOpen }) { ingress in
            let answer = try await Self.call(ingress, "GET", path: "/queue/dead", as: nil)
            #expect(answer.status == (isOpen ? 200 : 403), "\(answer.text)")
            let foreign = try await ingress.call(
                "DELETE", "/v1/queue/dead/1-0", headers: ["Origin: https://evil.test"])
            #expect(foreign.status == 403)
            // Pages of the same machine may call, but not act in the operator's name.
            for (method, path) in [("DELETE", "1-0"), ("POST", "1-0/requeue")] {
                let page = try await ingress.call(
                    method, "/v1/queue/dead/\(path)", headers: ["Origin: http://localhost:9"])
                #expect(page.status == 403 && page.error?.code == (isOpen ? "foreign_origin" : "operator_only"))
            }
        }
        let plan = { (plan: inout LiveIngress.Plan) in
            plan.settings.http.dashboardAdmin = true
            plan.settings.http.host = "0.0.0.0"
        }
        try await LiveIngress.run(plan) { ingress in
            let answer = try await Self.call(ingress, "GET", path: "/queue", as: nil)
            #expect(answer.status == 403)
        }
    }

    @Test func `what is wrong is told`() async throws {
        try await Self.run { ingress in
            for (method, path, status, word) in [
                ("POST", "/queue", 405, "GET, HEAD"), ("DELETE", "/queue/dead", 405, "GET, HEAD"),
                ("GET", "/queue/dead/1-0", 405, "DELETE"), ("GET", "/queue/dead/1-0/requeue", 405, "POST"),
                ("GET", "/queue/dead?before=x", 400, "must be the id of an entry"),
                ("GET", "/queue/dead?limit=3", 400, "known: `before`"),
                ("GET", "/queue?a=b", 400, "it has no parameters"),
                ("DELETE", "/queue/dead/x", 404, "no such dead letter"),
            ] {
                let answer = try await Self.call(ingress, method, path: path)
                #expect(answer.status == status && answer.text.contains(word), "\(method) \(path): \(answer.text)")
                #expect(status != 405 || answer["allow"] == word)
            }
        }
    }

    /// A letter whose project was removed from SECRETS_PATH is the operator's: it is seen and deleted in any project,
    /// and not queued again.
    @Test func `a letter of a removed project is the operators`() async throws {
        try await Self.run { ingress in
            let orphan = ingress.lostJob(project: "removed")
            let entry = try await ingress.bury(orphan)
            let list = try await Self.call(ingress, "GET", path: "/queue/dead").text
            #expect(list.contains(orphan.insertionID.description) && list.contains(#""project_id":"removed""#))
            #expect(list.contains("no longer in SECRETS_PATH"))
            let cookie = try await ingress.logIn(with: DashboardKeys.client)
            let page = try await ingress.call("GET", "/dashboard/projects/main/queue", headers: [cookie])
            #expect(page.status == 200 && !page.text.contains(orphan.insertionID.description))
            let admin = try await ingress.logIn(with: DashboardKeys.admin)
            let operators = try await ingress.call("GET", "/dashboard/projects/main/queue", headers: [admin]).text
            #expect(
                operators.contains(orphan.insertionID.description) && operators.contains("project <bdi>removed</bdi>"))
            let refused = try await Self.call(ingress, "POST", path: "/queue/dead/\(entry)/requeue")
            #expect(refused.status == 409 && refused.text.contains("no longer in SECRETS_PATH"))
            #expect(try await ingress.queued() == 0)
            let deleted = try await Self.call(ingress, "DELETE", path: "/queue/dead/\(entry)")
            #expect(deleted.status == 200)
            #expect(try await ingress.letters() == 0)
        }
    }
}
