internal import Common
internal import CoreMetrics
internal import Queue
package import Telemetry

/// The counters and measurements of a verifier.
package final class VerifierMetrics: Sendable {
    package static let descriptions = [
        MetricDescription(
            "gateway_verifications_total", .counter,
            help: "Questions about rollouts that this verifier worked on, by how that ended."),
        MetricDescription(
            "gateway_verifier_questions", .gauge,
            help:
                "Questions at this verifier: `working` ask Redis or the trace store, `queued` wait for a permit, "
                + "`waiting` wait for the next round or share another question's."),
        MetricDescription(
            "gateway_verifier_no_place_total", .counter,
            help: "Questions that could not wait at this verifier, since too many did (VERIFIER_WAITERS)."),
        MetricDescription(
            "gateway_verdicts_total", .counter, help: "Verdicts on rollouts that this verifier found, by kind."),
        MetricDescription(
            "gateway_verification_duration_seconds", .histogram(.times(upTo: .seconds(Verdict.longestWait))),
            help: "Seconds from a question's delivery to the end of its answer."),
        MetricDescription(
            "gateway_langfuse_requests_total", .counter,
            help: "Calls of the trace store's API, by the answer's class of status or `failed`."),
        MetricDescription(
            "gateway_langfuse_request_duration_seconds", .histogram(.times(upTo: .seconds(60))),
            help: "Seconds until the trace store began to answer."),
    ]

    private let outcomes: [QuestionWork.Outcome: Counter]
    private let phases: [QuestionSlot.Phase: Meter]
    private let noPlace: Counter
    private let verdicts: BoundedHandles<Counter>
    private let duration: Timer
    private let calls: [Counter]
    private let failedCalls: Counter
    private let callDuration: Timer

    package init(_ registry: MetricsRegistry) {
        registry.describe(Self.descriptions)
        var outcomes: [QuestionWork.Outcome: Counter] = [:]
        for outcome in QuestionWork.Outcome.allCases {
            outcomes[outcome] = Counter(
                label: "gateway_verifications_total", dimensions: [("outcome", outcome.rawValue)], factory: registry)
        }
        self.outcomes = outcomes
        var phases: [QuestionSlot.Phase: Meter] = [:]
        for phase in QuestionSlot.Phase.allCases {
            phases[phase] = Meter(
                label: "gateway_verifier_questions", dimensions: [("state", phase.rawValue)], factory: registry)
        }
        self.phases = phases
        noPlace = Counter(label: "gateway_verifier_no_place_total", factory: registry)
        verdicts = BoundedHandles(limit: 8) {
            Counter(label: "gateway_verdicts_total", dimensions: [("verdict", $0)], factory: registry)
        }
        for kind in ["complete", "incomplete", "unknown"] { _ = verdicts[kind] }
        duration = Timer(label: "gateway_verification_duration_seconds", factory: registry)
        func calls(_ result: String) -> Counter {
            Counter(label: "gateway_langfuse_requests_total", dimensions: [("result", result)], factory: registry)
        }
        self.calls = MetricLabel.statusClasses.map(calls)
        failedCalls = calls("failed")
        callDuration = Timer(label: "gateway_langfuse_request_duration_seconds", factory: registry)
    }

    @Sendable func ended(_ outcome: QuestionWork.Outcome, in time: Duration) {
        outcomes[outcome]?.increment()
        duration.observe(time)
    }

    /// A question does something else from now on.
    @Sendable func changed(from last: QuestionSlot.Phase?, to next: QuestionSlot.Phase?) {
        if let last { phases[last]?.decrement() }
        if let next { phases[next]?.increment() }
    }

    @Sendable func foundNoPlace() { noPlace.increment() }

    func found(_ verdict: Verdict) { verdicts[verdict.kind.rawValue].increment() }

    /// - Parameter status: nil if there was no answer.
    func called(_ status: Int?, in time: Duration) {
        if let status { calls[MetricLabel.statusClassIndex(status)].increment() } else { failedCalls.increment() }
        callDuration.observe(time)
    }
}
