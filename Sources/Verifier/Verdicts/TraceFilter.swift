internal import Common

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

    /// Whether it lets every trace through.
    package var isOpen: Bool { self == TraceFilter() }

    package func lets(_ head: TraceHead) -> Bool {
        tags.allSatisfy { head.tags.contains($0) } && matches(userID, head.userID) && matches(sessionID, head.sessionID)
            && matches(name, head.name)
            && matches(environment, head.environment) && matches(version, head.version)
            && matches(release, head.release)
    }

    private func matches(_ wanted: String?, _ value: String?) -> Bool { wanted == nil || wanted == value }
}
