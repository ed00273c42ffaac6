package import Common

/// A browser's request to the dashboard.
package struct DashboardRequest: Sendable {
    /// Percent-encoded, without the query.
    package var path: String
    package var query: String?
    package var isPost: Bool
    /// The header `Cookie`.
    package var cookie: String?
    /// The name of the gateway that the browser used (`Host`).
    package var authority: String?
    /// The page that a form was sent from (RFC 6454 §7).
    package var origin: String?
    /// Whether the request comes from a page of this site (Fetch Metadata, `Sec-Fetch-Site`).
    package var fetchSite: String?
    /// The media types that the browser would take (`Accept`).
    package var accept: String?
    /// Of a form.
    package var body: [UInt8] = []

    package init(path: String, query: String? = nil, isPost: Bool = false) {
        self.path = path
        self.query = query
        self.isPost = isPost
    }

    /// Whether a form was sent by another site's page. A request that says nothing of it is not a browser's.
    package var isForeign: Bool {
        if let fetchSite { return fetchSite != "same-origin" && fetchSite != "none" }
        guard let origin else { return false }
        guard let authority, let start = origin.utf8.firstRange(of: "://".utf8)?.upperBound else { return true }
        return !origin.utf8[start...].elementsEqual(authority.utf8)
    }

    /// Whether another site's page led the browser here. Such a request has no cookie of the dashboard's.
    package var comesFromElsewhere: Bool { fetchSite == "cross-site" }

    /// Whether the browser asks for a page's event stream (`EventSource` of the HTML standard).
    package var wantsEvents: Bool { HTTPSyntax.acceptsEvents(accept) }

    /// Whether the browser reached the gateway by TLS, as it says itself. A request that makes it up gets a stricter
    /// cookie.
    package var isSecure: Bool { origin?.hasPrefix("https://") ?? false }
}

/// The dashboard's answer to a browser.
package struct DashboardResponse: Sendable, Equatable {
    package var status: Int
    package var headers: [HeaderField]
    package var body: [UInt8]
    /// After so many seconds the page may look otherwise; nil: it stays as it is.
    package var refresh: Int?
    /// Whether a live page shows what the first look at it left out.
    package var showsMoreLive = false

    package init(status: Int = 200, headers: [HeaderField] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Sends the browser elsewhere, with a GET.
    package static func redirect(to location: String) -> Self {
        DashboardResponse(
            status: 303, headers: [HeaderField("location", location), HeaderField("cache-control", "no-store")])
    }

    /// The rights of every page in a browser: it may show the gateway's own styles, scripts and pictures, send forms to
    /// it, and nothing else. No text of a page is a script or a style.
    package static let contentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    /// The same with the headers that every answer of the dashboard has.
    package var protected: Self {
        var response = self
        response.headers += [
            HeaderField("content-security-policy", Self.contentPolicy),
            HeaderField("x-content-type-options", "nosniff"),
            // The gateway's own forms name their page; other sites learn no path.
            HeaderField("referrer-policy", "same-origin"), HeaderField("cross-origin-resource-policy", "same-origin"),
            HeaderField("cross-origin-opener-policy", "same-origin"),
        ]
        return response
    }
}
