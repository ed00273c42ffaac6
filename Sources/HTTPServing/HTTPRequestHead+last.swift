internal import NIOHTTP1

extension HTTPRequestHead {
    /// Whether the connection ends with this request's answer: its client asks for that (RFC 9112 §9.6), speaks
    /// HTTP/1.0, or wants a tunnel, which there is not.
    var isLast: Bool { method == .CONNECT || version != .http1_1 || !isKeepAlive }
}
