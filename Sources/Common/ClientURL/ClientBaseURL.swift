package import Upstream

/// A base URL that a client chose, checked and in one normal form: lower-case scheme and host, no default port, no
/// trailing slash.
///
/// A URL that two parsers could read differently is refused. This is the early answer to the client; the address that
/// the host's name resolves to is checked again when the connection is opened (`AddressPolicy`).
package struct ClientBaseURL: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    package let scheme: String
    /// A name, an IPv4 address in its usual form, or an IPv6 address in brackets.
    package let host: String
    /// Nil for the scheme's own port.
    package let port: UInt16?
    /// Empty, or begins with `/` and does not end with one.
    package let path: String

    /// - Parameters:
    ///   - text: the decoded URL.
    ///   - addresses: the policy under which calls to it will be made.
    /// - Throws: 400 `invalid_base_url`, which names the rule but never repeats the URL.
    package init(_ text: String, addresses: AddressPolicy) throws(GatewayError) {
        guard text.utf8.count <= 2048 else { throw Self.refusal("is longer than 2048 bytes") }
        guard text.utf8.allSatisfy(HTTPSyntax.isVisible), !text.utf8.contains(UInt8(ascii: "\\")) else {
            throw Self.refusal(
                "holds a space, a backslash, a control character or a character beyond ASCII; percent-encode it")
        }
        guard !text.contains("?"), !text.contains("#") else {
            throw Self.refusal("has a query or a fragment; leave it away")
        }
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        scheme = parts[0].lowercased()
        guard parts.count == 2, ["http", "https"].contains(scheme) else {
            throw Self.refusal("must begin with `http://` or `https://`")
        }
        let authority = parts[1].prefix { $0 != "/" }
        let (hostText, portText) = try Self.divide(authority)
        host = try ClientHost(hostText, addresses: addresses).text
        port = try portText.map { text throws(GatewayError) in try Self.port(text) }.flatMap { [scheme] in
            $0 == (scheme == "http" ? 80 : 443) ? nil : $0
        }
        path = try Self.path(parts[1][authority.endIndex...])
    }

    package var description: String { "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")\(path)" }

    /// The error for a base URL that breaks a rule.
    static func refusal(_ what: String) -> GatewayError {
        .invalidRequest(
            code: "invalid_base_url", "The base URL \(what). Use a form such as `https://api.example.com/v1`.",
            param: "encoded_base_url")
    }
}

extension ClientBaseURL {
    /// Divides `host:port` and `[address]:port`.
    private static func divide(_ authority: Substring) throws(GatewayError) -> (host: Substring, port: Substring?) {
        guard !authority.contains("@") else {
            throw refusal("holds user information (`@`); send the key in the `Authorization` header")
        }
        let afterHost =
            authority.hasPrefix("[")
            ? authority.firstIndex(of: "]").map(authority.utf8.index(after:)) : authority.firstIndex(of: ":")
        let host = authority[..<(afterHost ?? authority.endIndex)]
        let rest = authority[host.endIndex...]
        guard let colon = rest.first else { return (host, nil) }
        guard colon == ":" else { throw refusal("has something other than a port after its address") }
        return (host, rest.dropFirst())
    }

    private static func port(_ text: Substring) throws(GatewayError) -> UInt16 {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text), port > 0 else {
            throw refusal("has a port that is not a number from 1 to 65535")
        }
        return port
    }

    private static func path(_ text: Substring) throws(GatewayError) -> String {
        let path = text.hasSuffix("/") ? text.dropLast() : text
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard segments.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw refusal("has an empty segment, `.` or `..` in its path")
        }
        var rest = path.utf8[...]
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            let digits = rest[percent...].dropFirst().prefix(2)
            guard digits.count == 2, let byte = UInt8(String(Substring(digits)), radix: 16), isSafeEncoded(byte) else {
                throw refusal(
                    "has a percent-encoded control character, dot, slash, backslash or percent sign in its path")
            }
            rest = rest[digits.endIndex...]
        }
        return String(path)
    }

    /// Whether decoding the byte leaves the path's meaning as it was.
    private static func isSafeEncoded(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F && !"./\\%".utf8.contains(byte)
    }
}
