import Common
import Dashboard
import NIOConcurrencyHelpers
import Queue
import RequestLog
import TestSupport
import Testing

@testable import Ingress

/// The dashboard over HTTP: who sees what, and what a browser is told.
@Suite(.timeLimit(.minutes(5))) struct DashboardControllerTests {
    private static let page = #"{"data":[],"next_cursor":null}"#

    private static func login(_ key: String, at ingress: LiveIngress, headers: [String] = []) async throws -> HTTPAnswer
    {
        try await ingress.call(
            "POST", "/dashboard/login",
            headers: ["Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin"] + headers,
            body: "key=\(key)&next=%2Fdashboard%2Fprojects%2Fmain%2Frequests")
    }

    private static func cookie(_ answer: HTTPAnswer) throws -> String {
        let set = try #require(answer["set-cookie"])
        return "Cookie: " + set.prefix { $0 != ";" }
    }

    @Test func `a key opens its project alone`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let asked = NIOLockedValueBox<[String]>([])
            try await ingress.withRequestLog { path, _, asker in
                asked.withLockedValue { $0.append(asker.project) }
                return .json(Self.page)
            } _: {
                let login = try await Self.login(APIKeyAuthTests.shared + "-a", at: ingress)
                #expect(login.status == 303 && login["location"] == "/dashboard/projects/main/requests")
                let cookie = try Self.cookie(login)
                #expect(!cookie.contains(APIKeyAuthTests.shared), "the key is not kept")
                let own = try await ingress.call("GET", "/dashboard/projects/main/requests", headers: [cookie])
                #expect(own.status == 200 && own.text.contains("No requests yet"), "\(own.text)")
                #expect(asked.withLockedValue { !$0.isEmpty && $0.allSatisfy { $0 == "main" } })
                asked.withLockedValue { $0 = [] }
                for path in ["", "/requests", "/metrics", "/rollouts", "/rollouts/r", "/requests/x", "/suggestions"] {
                    let foreign = try await ingress.call("GET", "/dashboard/projects/sibling" + path, headers: [cookie])
                    #expect(foreign.status == 404)
                    let unknown = try await ingress.call("GET", "/dashboard/projects/unknown" + path, headers: [cookie])
                    #expect(unknown.status == 404)
                }
                #expect(asked.withLockedValue { $0.isEmpty })
                let start = try await ingress.call("GET", "/dashboard", headers: [cookie])
                #expect(start["location"] == "/dashboard/projects/main")
                #expect(!own.text.contains("sibling"))
            }
        }
    }

    @Test func `without a session one logs in`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let answer = try await ingress.call("GET", "/dashboard/projects/main/requests?status=5xx")
            #expect(answer.status == 303)
            #expect(answer["location"] == "/dashboard/login?next=/dashboard/projects/main/requests%3Fstatus%3D5xx")
            for cookie in ["x", "", "AAAA"] {
                let other = try await ingress.call(
                    "GET", "/dashboard/projects/main", headers: ["Cookie: \(SessionToken.cookie)=\(cookie)"])
                #expect(other.status == 303)
            }
            let form = try await ingress.call("GET", "/dashboard/login?next=%22%3E%3Cb%3E")
            #expect(form.status == 200 && form.text.contains("Gateway API key") && !form.text.contains("<b>"))
            // A key in a header opens the API, and no page: a browser has none.
            let bearer = try await ingress.call(
                "GET", "/dashboard/projects/main", headers: ["Authorization: Bearer \(APIKeyAuthTests.shared)-a"])
            #expect(bearer.status == 303)
        }
    }

    /// The browser keeps the cookie from a link of another site, and sends it with the page's own.
    @Test func `a link from elsewhere is followed once more before one logs in`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let path = "/dashboard/projects/main/requests?status=5xx"
            let first = try await ingress.call("GET", path, headers: ["Sec-Fetch-Site: cross-site"])
            #expect(first.status == 200 && first["content-security-policy"] == DashboardResponse.contentPolicy)
            #expect(first.text.contains(#"<meta http-equiv="refresh" content="0;url=\#(path)">"#))
            for site in ["same-origin", "same-site", "none"] {
                let answer = try await ingress.call("GET", path, headers: ["Sec-Fetch-Site: \(site)"])
                #expect(answer.status == 303)
            }
            // A session that has ended comes with its cookie.
            let ended = try await ingress.call(
                "GET", path, headers: ["Sec-Fetch-Site: cross-site", "Cookie: \(SessionToken.cookie)=x"])
            #expect(ended.status == 303)
            let other = try await ingress.call(
                "GET", "/dashboard//evil.test/%22%3E", headers: ["Sec-Fetch-Site: cross-site"])
            #expect(!other.text.contains("evil") && other.text.contains(#"url=/dashboard">"#))
        }
    }

    @Test func `another key opens nothing`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            for key in ["", "sk-wrong", APIKeyAuthTests.shared] {
                let answer = try await Self.login(key, at: ingress)
                #expect(answer.status == 401 && answer["set-cookie"] == nil)
                #expect(
                    answer.text.contains("not a key of this gateway") && (key.isEmpty || !answer.text.contains(key)))
            }
            let large = try await Self.login(
                String(repeating: "k", count: DashboardController.mostFormBytes), at: ingress)
            #expect(large.status == 413)
        }
    }

    @Test func `a session ends with its key`() async throws {
        let auth = APIKeyAuth(entries: [APIKeyAuthTests.entry("a", key: "sk-a", projects: .all)])
        try await LiveIngress.run({ $0.auth = auth }) { ingress in
            let cookie = try Self.cookie(try await Self.login("sk-a", at: ingress))
            // Without a process that keeps the log the page says so, to one who is let in.
            #expect(try await ingress.call("GET", "/dashboard/projects/main/requests", headers: [cookie]).status == 503)
            auth.replaceEntries(with: [APIKeyAuthTests.entry("b", key: "sk-b", projects: .all)])
            #expect(try await ingress.call("GET", "/dashboard/projects/main/requests", headers: [cookie]).status == 303)
        }
    }

    @Test func `logging out takes the cookie`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let answer = try await ingress.call("POST", "/dashboard/logout", headers: ["Sec-Fetch-Site: same-origin"])
            #expect(answer.status == 303 && answer["set-cookie"]?.contains("\(SessionToken.cookie)=; ") == true)
            #expect(answer["set-cookie"]?.contains("Max-Age=0") == true)
        }
    }

    @Test(arguments: ["Origin: https://evil.test", "Sec-Fetch-Site: cross-site", "Origin: null"])
    func `a form of another site is refused`(header: String) async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            for path in ["/dashboard/login", "/dashboard/logout"] {
                let answer = try await ingress.call(
                    "POST", path, headers: [header], body: "key=\(APIKeyAuthTests.shared)-a")
                #expect(answer.status == 403 && answer["set-cookie"] == nil)
            }
        }
    }

    /// The cookie goes over TLS alone where the browser came by it.
    @Test func `the cookie is secure behind TLS`() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let secure = try await Self.login("sk-all", at: ingress, headers: ["Origin: https://gateway.test"])
            #expect(secure["set-cookie"]?.hasSuffix("; HttpOnly; SameSite=Strict; Secure") == true)
            let plain = try await Self.login("sk-all", at: ingress)
            #expect(plain["set-cookie"]?.hasSuffix("; HttpOnly; SameSite=Strict") == true)
        }
    }

    @Test(arguments: [
        "/dashboard/login", "/dashboard/assets/dashboard.css", "/dashboard/nothing", "/dashboard/projects/main",
    ])
    func `every answer is held to the gateway's own`(path: String) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("GET", path)
            #expect(answer["content-security-policy"] == DashboardResponse.contentPolicy)
            #expect(
                DashboardResponse.contentPolicy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self';"))
            #expect(
                !DashboardResponse.contentPolicy.contains("unsafe") && !DashboardResponse.contentPolicy.contains("*"))
            #expect(answer["x-content-type-options"] == "nosniff" && answer["referrer-policy"] == "same-origin")
            let head = try await ingress.call("HEAD", path)
            #expect(head.status == answer.status && head.body.isEmpty)
        }
    }

    /// Where no key is asked for, only this machine may look.
    @Test func `without keys there is a dashboard on loopback alone`() async throws {
        try await LiveIngress.run { ingress in
            #expect(try await ingress.call("GET", "/dashboard")["location"] == "/dashboard/projects/main")
            #expect(try await ingress.call("GET", "/dashboard/login")["location"] == "/dashboard/projects/main")
            let foreign = try await ingress.call(
                "GET", "/dashboard/projects/main", headers: ["Origin: https://evil.test"])
            #expect(foreign.status == 403)
        }
        try await LiveIngress.run({ $0.settings.http.host = "0.0.0.0" }) { ingress in
            let answer = try await ingress.call("GET", "/dashboard/projects/main")
            #expect(answer.status == 403 && answer.text.contains("API_KEYS_PATH"))
            #expect(try await ingress.call("GET", "/dashboard/assets/dashboard.css").status == 200)
        }
    }

    @Test func `the dashboard can be off`() async throws {
        try await LiveIngress.run({ $0.settings.http.dashboard = false }) { ingress in
            let answer = try await ingress.call("GET", "/dashboard")
            #expect(answer.status == 404 && answer.text.contains("DASHBOARD=true"))
        }
    }

    @Test func `pages are read with get`() async throws {
        try await LiveIngress.run { ingress in
            for method in ["POST", "PUT", "DELETE"] {
                let answer = try await ingress.call(method, "/dashboard/projects/main")
                #expect(answer.status == 405)
            }
            let queued = try await ingress.queued()
            #expect(queued == 0, "nothing of it goes to a provider")
        }
    }

    @Test func `what the log says of a filter stands on the page`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.withRequestLog { path, _, _ in
                if path == "/logs/metadata" { return .json(#"{"keys":["customer-id"]}"#) }
                throw GatewayError.invalidQuery("latency", "has no <such> operator")
            } _: {
                let answer = try await ingress.call("GET", "/dashboard/projects/main/requests?latency=1")
                #expect(answer.status == 400 && answer.text.contains("has no &lt;such&gt; operator"))
                #expect(answer.text.contains("metadata.customer-id"), "the form is still there")
            }
        }
    }
}
