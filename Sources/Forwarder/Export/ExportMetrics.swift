internal import CoreMetrics
package import Telemetry

/// The counters and measurements of an exporter, for the traces that it brings to the trace store.
package final class ExportMetrics: Sendable {
    static let descriptions = [
        MetricDescription(
            "gateway_trace_exports_total", .counter,
            help: "Batches of traces that were sent, by what the trace store made of them."),
        MetricDescription("gateway_trace_spans_exported_total", .counter, help: "Traces that a trace store accepted."),
        MetricDescription(
            "gateway_trace_spans_lost_total", .counter,
            help:
                "Traces that were given up, by the reason: `expired` (they waited too long, or were damaged), `refused` (the trace store "
                + "calls them malformed) or `shed` (they were dropped to make room in the outbox)."
        ),
        MetricDescription(
            "gateway_trace_export_duration_seconds", .histogram(.times(upTo: .seconds(30))),
            help: "Seconds that the trace store took for a batch."),
    ]

    /// The reason why traces are given up.
    enum Loss: String, CaseIterable {
        /// They waited longer than `OUTBOX_MAX_AGE_SECONDS`, or were damaged in Redis.
        case expired
        /// The trace store calls them malformed, and takes others.
        case refused
        /// They were dropped to make room in the outbox.
        case shed
    }

    private let accepted: Counter
    private let malformed: Counter
    private let refused: Counter
    private let later: Counter
    private let spans: Counter
    private let lost: [Loss: Counter]
    private let duration: Timer

    package init(_ registry: MetricsRegistry) {
        func batches(_ result: String) -> Counter {
            Counter(label: "gateway_trace_exports_total", dimensions: [("result", result)], factory: registry)
        }
        registry.describe(Self.descriptions)
        (accepted, malformed) = (batches("accepted"), batches("malformed"))
        (refused, later) = (batches("refused"), batches("failed"))
        spans = Counter(label: "gateway_trace_spans_exported_total", factory: registry)
        var lost: [Loss: Counter] = [:]
        for loss in Loss.allCases {
            lost[loss] = Counter(
                label: "gateway_trace_spans_lost_total", dimensions: [("reason", loss.rawValue)], factory: registry)
        }
        self.lost = lost
        duration = Timer(label: "gateway_trace_export_duration_seconds", factory: registry)
    }

    func sent(_ outcome: ExportOutcome, spans count: Int, in time: Duration) {
        duration.observe(time)
        switch outcome {
        case .accepted:
            accepted.increment()
            spans.increment(by: count)
        case .malformed: malformed.increment()
        case .refused: refused.increment()
        case .later: later.increment()
        }
    }

    func lost(_ count: Int, _ loss: Loss) { lost[loss]?.increment(by: count) }
}
