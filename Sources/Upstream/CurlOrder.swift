/// An order of an event loop to libcurl's loop.
enum CurlOrder: Sendable {
    case start(CurlPushedCall, UpstreamRequest)
    case cancel(CurlPushedCall)
    case pause(CurlPushedCall)
    case resume(CurlPushedCall)
    /// The event loop has taken what was underway to it.
    case catchUp(CurlPushedCall)
}
