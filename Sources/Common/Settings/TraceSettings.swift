/// The outbox of spans, their export and their verification.
package struct TraceSettings: Sendable, Equatable {
    /// Bytes of spans that may wait for their export.
    package var outboxBytes = 1 << 30
    package var spanTextBytes = 4 << 20
    /// The time for which a span may wait for its export.
    package var outboxMaxAge = Duration.seconds(86_400)
    /// The time for which spans are collected before they are sent.
    package var exportInterval = Duration.milliseconds(500)
    package var exportTimeout = Duration.seconds(10)
    /// The time for which an accepted span may be invisible before it is sent again.
    package var resendGrace = Duration.seconds(15)
    /// Rounds that one verifier works on at once, and answers with traces beside them.
    package var verifierConcurrency = 64
    /// Questions that wait at one verifier at a time, for a permit, a round or an end.
    package var verifierWaiters = 4096
    /// The most scores that the traces of one page of `/traces` may have.
    package var maxScores = 10_000
}

extension TraceSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "OUTBOX_BYTES", \.traces.outboxBytes, rule: .bytes(1 << 20...1 << 40),
            meaning:
                "The most bytes of traces that wait for their export; beyond it completions of rollouts get 503. The same bound applies to the traces that are kept "
                + "for an hour after their export.",
            commands: .passing),
        Setting(
            "OUTBOX_MAX_AGE_SECONDS", \.traces.outboxMaxAge, rule: .wholeSeconds(3600...31_536_000),
            meaning: "How long a trace may wait for its export before it is given up.", commands: .working),
        Setting(
            "SPAN_TEXT_BYTES", \.traces.spanTextBytes, rule: .bytes(64 << 10...8 << 20),
            meaning:
                "The most bytes of a trace's input and of its output, each; a longer one is cut and stays JSON. Both together also fit one export of 4.5 MB. A larger "
                + "value raises that size, for a trace store that takes more than Langfuse's cloud does.",
            commands: .calling),
        Setting(
            "EXPORT_INTERVAL_MS", \.traces.exportInterval, rule: .milliseconds(10...60_000),
            meaning: "The longest time for which traces are collected before they are sent together.",
            commands: .calling),
        Setting(
            "EXPORT_TIMEOUT", \.traces.exportTimeout, rule: .seconds(1...300),
            meaning: "How long the trace store may take to accept a batch.", commands: .calling),
        Setting(
            "VERIFIER_CONCURRENCY", \.traces.verifierConcurrency, rule: .int(1...10_000),
            meaning:
                "The most rounds over rollouts that one verifier takes at once, and the most answers with traces. A question that waits between two rounds counts towards "
                + "`VERIFIER_WAITERS` instead.",
            commands: .verifying),
        Setting(
            "VERIFIER_WAITERS", \.traces.verifierWaiters, rule: .int(1...100_000),
            meaning:
                "The most questions about rollouts that wait at one verifier, for their turn or between two rounds. A project may add one while it has fewer than there "
                + "are free places. Beyond the bound a question gets what is known, or 503.",
            commands: .verifying),
        Setting(
            "VERIFY_RESEND_GRACE", \.traces.resendGrace, rule: .seconds(1...1800),
            meaning:
                "How long a trace that the trace store has accepted may be invisible there before it is sent again.",
            commands: .verifying),
        Setting(
            "TRACES_MAX_SCORES", \.traces.maxScores, rule: .int(100...1_000_000),
            meaning:
                "The most [scores](tracestore.md#scores) of the traces on one page in an answer of `/traces`. Beyond it fewer traces are read at a time. A single "
                + "trace with more is a 502 that says so.",
            commands: .verifying),
    ]
}
