/// The bounds of the queue and of what is kept in Redis.
package struct QueueSettings: Sendable, Equatable {
    package var limit = 100_000
    package var bytes = 1 << 30
    package var forwarderConcurrency = 5000
    package var maxDeliveries = 3
    package var deadLetterLimit = 10_000
    /// Bytes of answers and logs that are kept in Redis beyond the life of a call.
    package var keptBytes = 1 << 30
    /// Bytes of one log entry, once for each rollout that it is kept with.
    package var logEntryBytes = 1 << 20
    package var rolloutTTL = Duration.seconds(86_400)
}

extension QueueSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "QUEUE_LIMIT", \.queue.limit, rule: .int(1...10_000_000),
            meaning: "The most jobs in the queue; beyond it 429.",
            commands: .facing),
        Setting(
            "QUEUE_BYTES", \.queue.bytes, rule: .bytes(1 << 20...1 << 40),
            meaning: "The most bytes of jobs in the queue; beyond it 429.", commands: .facing),
        Setting(
            "FORWARDER_CONCURRENCY", \.queue.forwarderConcurrency, rule: .int(1...100_000),
            meaning: "The most calls in flight of one forwarder.", commands: .calling),
        Setting(
            "MAX_DELIVERIES", \.queue.maxDeliveries, rule: .int(1...10),
            meaning: "How often a job is tried if its forwarder or verifier dies, before it becomes a dead letter.",
            commands: .taking),
        Setting(
            "DEAD_LETTER_LIMIT", \.queue.deadLetterLimit, rule: .int(1...1_000_000),
            meaning: "The most dead letters that are kept; the oldest go first.", commands: .taking),
        Setting(
            "KEPT_BYTES", \.queue.keptBytes, rule: .bytes(1 << 20...1 << 40),
            meaning:
                "The most bytes of Redis's memory for [answers and logs that are kept for later](operations.md#what-is-kept), in all projects together; beyond it 507.",
            commands: .passing),
        Setting(
            "LOG_ENTRY_BYTES", \.queue.logEntryBytes, rule: .bytes(64 << 10...16 << 20),
            meaning:
                "The most bytes of one `POST /logs`, counted once for each rollout that its tags name; beyond it 400.",
            commands: .facing),
        Setting(
            "ROLLOUT_TTL_SECONDS", \.queue.rolloutTTL, rule: .wholeSeconds(60...31_536_000),
            meaning: "How long a rollout's set of insertion ids lives after the last id was added.", commands: .queueing
        ),
    ]
}
