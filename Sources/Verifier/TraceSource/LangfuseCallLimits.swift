internal import Common
package import Upstream

/// The time that a call to a trace store may take, and the size that its answer may have.
package struct LangfuseCallLimits: Sendable, Equatable {
    package var timeouts: UpstreamTimeouts
    /// Bytes. A page is asked for in such a size that it stays far below; one single trace may be a large request and a
    /// large answer together, both in a JSON string's escapes.
    package var bodyBytes: Int
    /// Scores that the traces of one page may have (`TRACES_MAX_SCORES`).
    package var scores: Int

    /// - Parameter timeouts: Langfuse Cloud's own gateway gives up after 100 s (HTTP 524).
    package init(
        timeouts: UpstreamTimeouts = .init(connect: .seconds(10), idle: .seconds(100), total: .seconds(120)),
        bodyBytes: Int = 128 << 20, scores: Int = 10_000
    ) {
        self.timeouts = timeouts
        self.bodyBytes = bodyBytes
        self.scores = scores
    }
}
