/// The checked `http` or `https` URL of a service, to which paths are appended: host, perhaps a port and a path, no
/// slash at its end, and neither user information nor query nor fragment.
package struct BaseURL: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    package let scheme: String
    /// Lower case; an IPv6 address keeps its brackets.
    package let host: String
    /// The port as written, else the scheme's own: 80 or 443.
    package let port: Int
    /// Empty, or begins with a slash and does not end with one.
    package let path: String
    /// The whole URL in its normal form: the scheme's own port is left out.
    package let text: String

    package var description: String { text }

    /// Scheme, host and port together, the port always written: two URLs lead to the same server if these are equal.
    package var origin: String { "\(scheme)://\(host):\(port)" }

    /// Whether both lead to the same server.
    package func hasOrigin(of other: BaseURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }
}
