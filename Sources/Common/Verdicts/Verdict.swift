/// The state of a rollout: whether the trace of every completion that succeeded is in the trace store.
package struct Verdict: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Every id of the rollout's set was seen in the trace store. True for exactly one state of the set.
        case complete
        /// Some are in flight, or finished and not to be found yet.
        case incomplete
        /// The trace store could not be asked; `reason` says why.
        case unknown
    }

    /// The most ids that `missing` lists.
    package static let mostMissing = 100
    /// The time for which an incomplete verdict is good for other askers: missing traces may be found at any moment.
    package static let interimLife = Duration.seconds(1)
    /// The longest time, in seconds, that a client may ask to `wait` for a verdict.
    package static let longestWait = 3600

    package var rollout: Rollout
    package var kind: Kind
    /// The reason why nothing can be said; nil unless the verdict is `unknown`.
    package var reason: String?
    /// Completions that succeeded or are in flight: the size of the rollout's set.
    package var expected: Int
    /// Those whose trace was seen.
    package var traced: Int
    /// Those that have not ended. What is neither traced nor in flight is missing.
    package var inFlight: Int
    /// Completions that failed. They left the set; nothing waits for them.
    package var failed: Int
    /// Ids of missing ones, in the order in which they were made: at most `mostMissing` of them.
    package var missing: [String]
    package var checkedAt: Timestamp

    package init(
        rollout: Rollout, kind: Kind, reason: String? = nil, expected: Int, traced: Int, inFlight: Int,
        failed: Int,
        missing: [String],
        checkedAt: Timestamp
    ) {
        self.rollout = rollout
        self.kind = kind
        self.reason = reason
        self.expected = expected
        self.traced = traced
        self.inFlight = inFlight
        self.failed = failed
        self.missing = missing
        self.checkedAt = checkedAt
    }

    /// The reason why nothing can be said of a rollout of which Redis has lost ids.
    package static func loss(of count: Int, left: Int) -> String {
        "\(lossReason): \(left) of \(count) are left. Its set was evicted or deleted, or its life (ROLLOUT_TTL_SECONDS) ended between two of them. "
            + "Set Redis's maxmemory-policy to noeviction or ROLLOUT_TTL_SECONDS to more, and run the rollout again under another rollout_id"
    }
    private static let lossReason = "Redis has lost completions of the rollout"
    /// Whether Redis has lost ids of the rollout: asking again does not help.
    package var isLoss: Bool { kind == .unknown && reason?.utf8.starts(with: Self.lossReason.utf8) == true }

    /// The number of those that have ended and are not to be found, listed or not.
    package var missingCount: Int { max(expected - traced - inFlight, 0) }
}
