import Dashboard
import NIOConcurrencyHelpers
import Queue
import TestSupport
import Testing

@testable import Common
@testable import Ingress
@testable import Redis

/// What the operator does with dead letters, over HTTP.
@Suite(.timeLimit(.minutes(1))) struct DeadLetterActionTests {
    private static let page = "/dashboard/projects/main/queue"

    /// The operator's browser: its cookie, and the token of its page's forms.
    private struct Browser {
        let ingress: LiveIngress
        var cookie: String?
        var token = ""

        /// - Parameter key: nil: the gateway asks for none.
        init(_ ingress: LiveIngress, key: String? = DashboardKeys.admin) async throws {
            self.ingress = ingress
            if let key { cookie = try await ingress.logIn(with: key) }
            let page = try await ingress.call("GET", DeadLetterActionTests.page, headers: headers).text
            token = page.firstMatch(of: /name="token" value="([0-9a-f]+)"/).map { String($0.output.1) } ?? ""
        }

        var headers: [String] { ["Sec-Fetch-Site: same-origin"] + (cookie.map { [$0] } ?? []) }

        func send(_ action: String, of entry: String, in project: String = "main") async throws -> HTTPAnswer {
            try await ingress.call(
                "POST", "/dashboard/projects/\(project)/queue/\(entry)/\(action)", headers: headers,
                body: "token=\(token)")
        }
    }

    private static func id(_ answer: HTTPAnswer) throws -> String {
        let location = try #require(answer["location"])
        return String(try #require(location.firstMatch(of: /done=requeued&id=([0-9a-f-]{36})$/)).output.1)
    }

    @Test func `a letter is queued again`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            var old = ingress.lostJob()
            old.metadata.set("team", to: "search", from: .header)
            let entry = try await ingress.bury(old)
            let browser = try await Browser(ingress)
            let answer = try await browser.send("requeue", of: entry)
            #expect(answer.status == 303, "\(answer.text)")
            let id = try Self.id(answer)
            #expect(id != old.insertionID.description)
            let taken = try await ingress.forwarder.take().job
            #expect(taken.insertionID.description == id && taken.body == old.body && taken.rollout == old.rollout)
            #expect(taken.project == "main" && taken.account == "team" && taken.model == "openai/gpt")
            #expect(taken.metadata["team"]?.value == "search")
            #expect(taken.metadata["requeued_from"]?.value == old.insertionID.description)
            #expect(taken.metadata["requeued_from"]?.origin == .gateway)
            #expect(taken.remaining() > .zero && taken.isFetchable)
            let members = try await ingress.redis.send(RedisCommand("SMEMBERS", "r1")).array ?? []
            #expect(members.map(\.string) == [id], "the rollout waits for it")
            #expect(try await ingress.letters() == 0)
            // Once more: there is no such letter any longer.
            let again = try await browser.send("requeue", of: entry)
            #expect(again.status == 404 && again.text.contains("it was queued again"))
            #expect(try await ingress.queued() == 1)
        }
    }

    /// Two who press the button at a time, or one whose ingress died before the letter went, get one job.
    @Test func `a letter becomes one job`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            let old = ingress.lostJob()
            let entry = try await ingress.bury(old)
            let letter = try await ingress.redis.send(RedisCommand("XRANGE", Keys.dead, entry, entry))[0][1].array ?? []
            let browser = try await Browser(ingress)
            let first = try Self.id(try await browser.send("requeue", of: entry))
            _ = try await ingress.redis.send(RedisCommand("DEL", Keys.dead))
            var command = RedisCommand("XADD", Keys.dead, entry)
            command.append(contentsOf: letter.compactMap(\.bytes))
            _ = try await ingress.redis.send(command)
            let second = try Self.id(try await browser.send("requeue", of: entry))
            #expect(second == first)
            #expect(try await ingress.queued() == 1)
            #expect(try await ingress.letters() == 0)
        }
    }

    @Test func `what cannot be made again is refused`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            var (withKey, elsewhere, withheld) = (ingress.lostJob(), ingress.lostJob(), ingress.lostJob())
            withKey.clientKey = SecretString("sk-canary")
            elsewhere.baseURL = "http://127.0.0.1:1"
            withheld.logging = .withheld
            let question = ingress.lostJob()
            var letters = [
                (try await ingress.bury(withKey), "own provider key"),
                (try await ingress.bury(elsewhere), "chose the server"),
                (try await ingress.bury(withheld), "kept out of logs"),
                (try await ingress.bury(question, on: .verifications), "a question about a rollout"),
            ]
            for (fields, reason) in [
                (["reason", "r", "bytes", "9", "withheld", "x"], "kept out of logs"),
                (["reason", "r", "bytes", "70000"], "larger than a letter keeps (64 KiB)"),
                (["reason", "r", "i", "no id", "bytes", "4", "p", "junk"], "cannot be read"),
            ] {
                var command = RedisCommand("XADD", Keys.dead, "*")
                command.append(contentsOf: fields)
                letters.append((try await ingress.redis.send(command).string ?? "", reason))
            }
            let browser = try await Browser(ingress)
            let page = try await ingress.call("GET", Self.page, headers: browser.headers).text
            #expect(!page.contains("/requeue\"") && !page.contains("sk-canary"))
            for (entry, reason) in letters {
                let answer = try await browser.send("requeue", of: entry)
                #expect(answer.status == 409 && answer.text.contains(reason), "\(answer.text)")
                #expect(page.contains(reason), "the page says so before")
            }
            #expect(try await ingress.queued() == 0)
            #expect(try await ingress.letters() == letters.count)
        }
    }

    /// Admission is the one of all requests: its bounds and its rules hold.
    @Test func `admission may refuse`() async throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-rate-limiting-config
            rules:
              - {id: once, limit_to: 1, unit: requests_per_day}
            """)
        let plan = { (plan: inout LiveIngress.Plan) in
            plan.auth = DashboardKeys.auth
            plan.policies = policies
        }
        try await LiveIngress.run(plan) { ingress in
            let entries = [try await ingress.bury(ingress.lostJob()), try await ingress.bury(ingress.lostJob())]
            let browser = try await Browser(ingress)
            #expect(try await browser.send("requeue", of: entries[0]).status == 303)
            let refused = try await browser.send("requeue", of: entries[1])
            #expect(refused.status == 429 && refused.text.contains("once"), "\(refused.text)")
            #expect(try await ingress.letters() == 1, "the letter stays")
            let taken = try await ingress.forwarder.take().job
            #expect(taken.rules.limits == ["once"])
        }
    }

    @Test func `a letter is deleted`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            let (entry, other) = (
                try await ingress.bury(ingress.lostJob()), try await ingress.bury(ingress.lostJob(project: "sibling"))
            )
            let browser = try await Browser(ingress)
            let foreign = try await browser.send("delete", of: other)
            #expect(foreign.status == 404, "it is another project's")
            let answer = try await browser.send("delete", of: entry)
            #expect(answer.status == 303 && answer["location"] == Self.page + "?done=deleted")
            let again = try await browser.send("delete", of: entry)
            #expect(again.status == 404)
            for text in ["x", "-", "+", "1", "%28" + other] {
                let wrong = try await browser.send("delete", of: text, in: "sibling")
                #expect(wrong.status == 404)
            }
            #expect(try await ingress.letters() == 1)
            let own = try await browser.send("delete", of: other, in: "sibling")
            #expect(own.status == 303)
        }
    }

    /// A client's key only looks, and no form of another session, site or method does anything.
    @Test func `only the operator's own form acts`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            let entry = try await ingress.bury(ingress.lostJob())
            let client = try await Browser(ingress, key: DashboardKeys.client)
            #expect(client.token.isEmpty, "there is no form")
            let admin = try await Browser(ingress)
            let other = try await Browser(ingress)
            #expect(!admin.token.isEmpty && admin.token != other.token)
            var browsers = [client, admin, admin, admin, admin]
            browsers[0].token = admin.token
            browsers[1].token = other.token
            browsers[2].token = ""
            browsers[3].cookie = nil
            for action in ["requeue", "delete"] {
                let answers = [
                    try await browsers[0].send(action, of: entry), try await browsers[1].send(action, of: entry),
                    try await browsers[2].send(action, of: entry), try await browsers[3].send(action, of: entry),
                ]
                #expect(answers.map(\.status) == [403, 403, 403, 303])
                #expect(answers[3]["location"] == "/dashboard/login")
                let path = "\(Self.page)/\(entry)/\(action)"
                for header in ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.test"] {
                    let answer = try await ingress.call(
                        "POST", path, headers: [header, admin.cookie ?? ""], body: "token=\(admin.token)")
                    #expect(answer.status == 403, "\(header)")
                }
                let read = try await ingress.call("GET", "\(path)?token=\(admin.token)", headers: admin.headers)
                #expect(read.status == 404)
            }
            #expect(try await ingress.letters() == 1)
            #expect(try await ingress.queued() == 0)
        }
    }

    /// Where no key is asked for, the operator opens the actions by a setting.
    @Test(arguments: [false, true]) func `without keys a setting opens them`(isOpen: Bool) async throws {
        try await LiveIngress.run({ $0.settings.http.dashboardAdmin = isOpen }) { ingress in
            var job = ingress.lostJob()
            job.account = nil
            let entry = try await ingress.bury(job)
            let browser = try await Browser(ingress, key: nil)
            #expect(browser.token.isEmpty == !isOpen)
            let answer = try await browser.send("requeue", of: entry)
            #expect(answer.status == (isOpen ? 303 : 403))
            #expect(isOpen || answer.text.contains("DASHBOARD_ADMIN"))
            #expect(try await ingress.queued() == (isOpen ? 1 : 0))
        }
        // The setting opens nothing where the dashboard would be open to others.
        let plan = { (plan: inout LiveIngress.Plan) in
            plan.settings.http.dashboardAdmin = true
            plan.settings.http.host = "0.0.0.0"
        }
        try await LiveIngress.run(plan) { ingress in
            let answer = try await ingress.call("POST", "\(Self.page)/1-0/delete")
            #expect(answer.status == 403 && answer.text.contains("API_KEYS_PATH"))
        }
    }

    @Test func `what is done is audited`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            let (one, two) = (ingress.lostJob(), ingress.lostJob())
            let (first, second) = (try await ingress.bury(one), try await ingress.bury(two))
            let kept = NIOLockedValueBox<[AuditEvent]>([])
            try await ingress.withRequestLog(audit: { events in
                kept.withLockedValue { $0 += events.filter { $0.kind.rawValue.hasPrefix("dead_letter.") } }
            }) { _, _, _ in
                .json("{}")
            } _: {
                let browser = try await Browser(ingress)
                let id = try Self.id(try await browser.send("requeue", of: first))
                _ = try await browser.send("delete", of: second)
                _ = try await browser.send("delete", of: second)
                try await eventually { kept.withLockedValue { $0.count } >= 2 }
                let rows = kept.withLockedValue { $0 }.sorted { $0.id < $1.id }
                #expect(rows.map(\.kind) == [.deadLetterRequeued, .deadLetterDeleted])
                #expect(rows.map(\.subject) == [one.insertionID.description, two.insertionID.description])
                #expect(rows.allSatisfy { $0.account == "ops" && $0.user == "ada" && $0.project == "main" })
                #expect(rows[0].details.json == #"{"entry":"\#(first)","queued_as":"\#(id)"}"#)
                #expect(rows[1].details.json == #"{"entry":"\#(second)"}"#)
            }
        }
    }
}
