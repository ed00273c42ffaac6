import Common
import TestSupport
import Testing

@testable import Dashboard

struct SessionTokenTests {
    private let envelope = Envelope(key: .random())
    private let now: Timestamp = 1_790_000_000_000
    private var life: UInt64 { 12 * 3_600_000 }

    private func sealed(
        _ fingerprint: [UInt8] = Array(repeating: 7, count: 32), until expiry: Timestamp
    ) throws -> String {
        try SessionToken(fingerprint: fingerprint, expiry: expiry).sealed(by: envelope)
    }

    @Test func `a session is read by any ingress of the gateway`() throws {
        let key = GatewayKey.random()
        let token = SessionToken(fingerprint: Array(0..<32), expiry: now + life)
        let text = try token.sealed(by: Envelope(key: key))
        #expect(SessionToken(text, now: now, envelope: Envelope(key: key)) == token)
        #expect(SessionToken(text, now: now, envelope: envelope) == nil, "another gateway's")
        #expect(text.utf8.allSatisfy { $0 > 0x2C && $0 < 0x7B && $0 != 0x3B }, "fit for a cookie")
    }

    @Test func `a session ends`() throws {
        let text = try sealed(until: now + life)
        #expect(SessionToken(text, now: now + life - 1, envelope: envelope) != nil)
        #expect(SessionToken(text, now: now + life, envelope: envelope) == nil)
        #expect(
            SessionToken(try sealed(until: now + life + 1), now: now, envelope: envelope) == nil, "none lasts longer")
    }

    @Test func `a changed session is none`() throws {
        let text = Array(try sealed(until: now + life).utf8)
        for place in text.indices {
            var other = text
            other[place] = other[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            // The last digit holds bits that stand for nothing.
            let changed = String(decoding: other, as: UTF8.self)
            if Base64.decode(other) == Base64.decode(text) { continue }
            #expect(SessionToken(changed, now: now, envelope: envelope) == nil)
        }
        for garbage in ["", "x", "AAAA", String(repeating: "A", count: 4000), "é"] {
            #expect(SessionToken(garbage, now: now, envelope: envelope) == nil)
        }
    }

    /// What else is sealed with the gateway's key is not a session.
    @Test func `another sealed thing is no session`() throws {
        let expiry = now + life
        let plain =
            (0..<8).map { UInt8(truncatingIfNeeded: expiry.milliseconds >> UInt64(56 - 8 * $0)) }
            + Array(repeating: 7, count: 32)
        func token(_ place: Envelope.Context) throws -> SessionToken? {
            SessionToken(SessionToken.base64(try envelope.seal(plain, for: place)), now: now, envelope: envelope)
        }
        #expect(try token(.session) != nil)
        #expect(try token(.value(of: "gateway/x")) == nil)
    }

    @Test func `the cookie is found among others`() {
        #expect(SessionToken.text(in: "a=b; gateway_dashboard=x=y; c=d") == "x=y")
        #expect(SessionToken.text(in: "gateway_dashboard=x") == "x")
        #expect(SessionToken.text(in: "xgateway_dashboard=x") == nil)
        #expect(SessionToken.text(in: nil) == nil)
    }

    @Test func `the cookie is kept from scripts and sites`() {
        let plain = SessionToken.cookie("x", isSecure: false).value
        #expect(plain == "gateway_dashboard=x; Path=/dashboard; Max-Age=43200; HttpOnly; SameSite=Strict")
        #expect(SessionToken.cookie("x", isSecure: true).value == plain + "; Secure")
        #expect(SessionToken.cookie("", isSecure: false).value.contains("Max-Age=0"))
    }
}

struct DashboardRequestTests {
    private func request(_ change: (inout DashboardRequest) -> Void) -> DashboardRequest {
        var request = DashboardRequest(path: "/dashboard/login", isPost: true)
        request.authority = "gateway.test:4000"
        change(&request)
        return request
    }

    @Test func `a form of another site is foreign`() {
        #expect(request { $0.origin = "https://evil.test" }.isForeign)
        #expect(request { $0.origin = "null" }.isForeign)
        #expect(request { $0.origin = "https://gateway.test:4000.evil.test" }.isForeign)
        #expect(request { $0.fetchSite = "cross-site" }.isForeign)
        #expect(request { $0.fetchSite = "same-site" }.isForeign)
        #expect(!request { $0.origin = "https://gateway.test:4000" }.isForeign)
        #expect(!request { $0.fetchSite = "same-origin" }.isForeign)
        #expect(!request { _ in }.isForeign, "no browser's")
    }

    @Test(arguments: [
        ("/dashboard/projects/a/requests?status=5xx", "/dashboard/projects/a/requests?status=5xx"),
        ("/dashboard/projects/a", "/dashboard/projects/a"), ("//evil.test/dashboard", "/dashboard"),
        ("https://evil.test/dashboard", "/dashboard"), ("/dashboard/../x", "/dashboard"), ("/v1/models", "/dashboard"),
        ("/dashboard/logout", "/dashboard"), ("/dashboard/projects/a\r\nx: y", "/dashboard"), ("", "/dashboard"),
    ])
    func `a login leads to the dashboard alone`(next: String, place: String) {
        #expect(Dashboard.ownPath(next) == place)
    }

    @Test(arguments: [
        ("/dashboard", DashboardRoute.start), ("/dashboard/", .start), ("/dashboard/login", .login),
        ("/dashboard/projects/a%2Fb", .page(.overview, project: "a/b")),
        ("/dashboard/projects/a/rollouts/r%201", .page(.rollout("r 1"), project: "a")),
        ("/dashboard/projects/login/metrics", .page(.metrics, project: "login")), ("/dashboard/assets/x", .asset("x")),
    ])
    func `a path is a page`(path: String, route: DashboardRoute) { #expect(DashboardRoute(path) == route) }

    @Test(arguments: [
        "/dashboards", "/x", "/dashboard/x", "/dashboard/projects", "/dashboard/projects/a/x",
        "/dashboard/projects/a/rollouts/r/progress",
        "/dashboard/projects/%ff",
    ])
    func `all else is none`(path: String) { #expect(DashboardRoute(path) == nil) }
}
