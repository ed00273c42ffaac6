package import Common

/// The operator's rules, from the files of `CONFIG_PATH`.
package struct Policies: Sendable {
    package var metadata = MetadataPolicy()
    /// One policy of each document.
    package var rateLimits: [RateLimitPolicy] = []
    package var routing = RoutingPolicy()
    /// Tells the contents of the files from others; empty without files.
    package var hash = ""
    /// The contents of the files, for the audit log.
    package var contents = FileContents()
    package var logging = LoggingPolicy()
    /// The documents of the files, in their order.
    package var documents: [PolicyDocument] = []

    package init() {}

    /// No rules.
    package static let none = Policies()

    /// The rate limits that a request meets, in the order of the rules.
    package func rateLimits(for facts: RequestFacts) -> [RateLimit] {
        var found: [RateLimit] = []
        // As many as most requests meet.
        found.reserveCapacity(4)
        for policy in rateLimits { policy.addLimits(for: facts, to: &found) }
        return found
    }
}
