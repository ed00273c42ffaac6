/// The reason why a call to a provider failed. Holds no secret: URLs are cut to their origin.
package struct UpstreamError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case invalidURL = "invalid_url"
        case blockedAddress = "blocked_address"
        case resolve = "name_not_resolved"
        case connect = "connect_failed"
        case tls = "tls_failed"
        case connectTimeout = "connect_timeout"
        case idleTimeout = "idle_timeout"
        case totalTimeout = "total_timeout"
        case tooLarge = "answer_too_large"
        case malformed = "malformed_answer"
        case closedEarly = "closed_early"
        case cancelled = "cancelled"
        /// The client's own end: out of handles, or stopped.
        case unavailable = "upstream_unavailable"
    }

    package var code: Code
    /// The failure in words, for a person.
    package var message: String
    /// Whether bytes of the request may have reached the peer. If not, the call can be made again without paying twice.
    package var requestMayHaveBeenSent: Bool
    /// Whether the request went out on a connection that was there before the call, and the peer closed that without a
    /// byte of an answer: most likely it was about to close it anyway, and has not read the request.
    package var keptConnectionClosed = false

    package init(_ code: Code, _ message: String, requestMayHaveBeenSent: Bool) {
        self.code = code
        self.message = message
        self.requestMayHaveBeenSent = requestMayHaveBeenSent
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
