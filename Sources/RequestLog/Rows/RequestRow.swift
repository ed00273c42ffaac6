package import Common

/// One call that came in, as the request log keeps it: what was asked, what the gateway decided, what became of it.
/// Holds no bodies. Durations are in milliseconds.
package struct RequestRow: Sendable, Equatable {
    /// The end of a call.
    package enum Outcome: String, Sendable, CaseIterable {
        case succeeded
        /// A provider or the gateway answered with an error.
        case failed
        /// The gateway refused it before it became a job.
        case refused
        /// The client left before it had the whole answer, or cancelled the job.
        case cancelled
        /// It was tried as often as jobs may be, and given up.
        case deadLettered = "dead_lettered"
    }

    /// The row's identity: the same id twice is one row, the later one's values.
    package var id: InsertionID
    package var project: String
    package var outcome: Outcome
    /// Nil for a call that belongs to no rollout.
    package var rollout: RolloutIDs?
    /// The account that asked, where clients are authenticated.
    package var account: String?
    package var user: String?
    package var teams: [String] = []
    /// Resolved metadata beside the ids of the path.
    package var metadata: [ResolvedMetadata.Entry] = []
    /// The path meant for the backend, without query.
    package var path: String = ""
    package var modelAsked: String?
    /// As the provider names it, or else as it was sent.
    package var modelServed: String?
    package var provider: String?
    /// The target of the operator's routing rule that served the call.
    package var target: String?
    /// The HTTP status that the client was told. 200 for a stream that failed after its head.
    package var status: Int
    /// As the error's `code` names it; nil for a success.
    package var errorCode: String?
    package var finishReason: String?
    package var isStream = false
    package var tokens = RequestTokens()
    /// In US dollars, where the price of the served model is known.
    package var cost: Double?
    /// From the id's time to the end of the answer.
    package var latency: UInt64 = 0
    /// From the id's time to the first call of a provider.
    package var queueWait: UInt64?
    /// From the id's time to the first token of a stream.
    package var timeToFirstToken: UInt64?
    /// Between tokens of a stream, on average.
    package var interTokenLatency: Double?
    /// Calls beyond the first.
    package var retries = 0
    /// Ids of the operator's rules that applied: limits, balancing, fallback, metadata, logging.
    package var rules: [String] = []
    package var requestBytes = 0
    package var responseBytes = 0
    /// The calls that were made, the first one first. `lost` is the failure of one whose forwarder died.
    package var attempts: [SpanAttempt] = []

    package init(id: InsertionID, project: String, outcome: Outcome, status: Int) {
        self.id = id
        self.project = project
        self.outcome = outcome
        self.status = status
    }

    /// The time at which the call came in.
    package var time: Timestamp { id.time }

    package static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.project == right.project && left.outcome == right.outcome
            && left.rollout == right.rollout && left.account == right.account && left.user == right.user
            && left.teams == right.teams && left.metadata == right.metadata && left.path == right.path
            && left.modelAsked == right.modelAsked && left.modelServed == right.modelServed
            && left.provider == right.provider && left.target == right.target && left.status == right.status
            && left.errorCode == right.errorCode && left.finishReason == right.finishReason
            && left.isStream == right.isStream && left.tokens == right.tokens && left.cost == right.cost
            && left.latency == right.latency && left.queueWait == right.queueWait
            && left.timeToFirstToken == right.timeToFirstToken && left.interTokenLatency == right.interTokenLatency
            && left.retries == right.retries && left.rules == right.rules && left.requestBytes == right.requestBytes
            && left.responseBytes == right.responseBytes && left.attempts == right.attempts
    }
}

/// The tokens of one answer. Nil where the provider did not say.
package struct RequestTokens: Sendable, Equatable {
    /// All tokens of the input, cached ones included.
    package var input: Int?
    package var output: Int?
    /// Of the input, those that the provider had cached.
    package var cached: Int?
    /// Of the output, those of its reasoning.
    package var reasoning: Int?

    package init() {}
}
