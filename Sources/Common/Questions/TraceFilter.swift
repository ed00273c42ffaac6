/// The choice of a rollout's traces that an answer shall hold.
package struct TraceFilter: Sendable, Equatable {
    /// All of them must be on the trace.
    package var tags: [String] = []
    package var userID: String?
    package var sessionID: String?
    package var name: String?
    package var environment: String?
    package var version: String?
    package var release: String?

    package init() {}

    /// Whether every trace passes.
    package var isOpen: Bool { self == TraceFilter() }
}
