internal import Common
internal import Crypto

/// The files that pages link to.
struct Assets: Sendable {
    /// Of the files' bytes, so that a browser keeps a file for as long as it is the same.
    let version: String
    private static let files: [(name: String, type: String, bytes: [UInt8])] = [
        ("dashboard.css", "text/css; charset=utf-8", PackageResources.dashboard_css),
        ("dashboard.js", "text/javascript; charset=utf-8", PackageResources.dashboard_js),
        ("favicon.svg", "image/svg+xml", PackageResources.favicon_svg),
    ]

    init() {
        var hash = SHA256()
        for file in Self.files { hash.update(data: file.bytes) }
        version = String(hexadecimal: Array(hash.finalize()).prefix(6))
    }

    /// - Parameter query: of the version that the page named.
    func response(_ name: String, query: String?) -> DashboardResponse? {
        guard let file = Self.files.first(where: { $0.name == name }) else { return nil }
        let isCurrent = query == "v=\(version)"
        return DashboardResponse(
            headers: [
                HeaderField("content-type", file.type),
                HeaderField("cache-control", isCurrent ? "private, max-age=31536000, immutable" : "no-cache"),
            ], body: file.bytes)
    }
}
