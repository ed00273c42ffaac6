extension UpstreamRequest {
    /// Refuses what could become a second request or header on the wire, or reach another host than the URL seems to
    /// name.
    func check() throws(UpstreamError) {
        guard HTTPSyntax.isToken(method) else { throw invalid("the method is not a token of RFC 9110") }
        guard url.utf8.allSatisfy(HTTPSyntax.isVisible) else {
            throw invalid("the URL holds a space, a control character or a character beyond ASCII; percent-encode it")
        }
        guard !url.utf8.contains(UInt8(ascii: "#")) else { throw invalid("the URL has a fragment; leave it away") }
        for field in headers where !HTTPSyntax.isToken(field.name) || !HTTPSyntax.isFieldValue(field.value) {
            throw invalid("a header's name is not a token, or its value holds a control character")
        }
    }

    var isOverTLS: Bool { url.utf8.prefix(6).elementsEqual("https:".utf8) { $0.asciiLowercased == $1 } }

    /// The URL's scheme, host and port: all of it that an error may show.
    var origin: String {
        let parts = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return "a URL without a scheme" }
        let authority = parts[1].prefix { !"/?#\\".contains($0) }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return "\(parts[0].prefix(16))://\(host.prefix(260))"
    }

    private func invalid(_ what: String) -> UpstreamError {
        UpstreamError(.invalidURL, "\(what) (\(origin))", requestMayHaveBeenSent: false)
    }
}
