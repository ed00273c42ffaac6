internal import Common
internal import CoreMetrics
package import Telemetry

/// The counters and measurements of the trace store.
package final class TraceStoreMetrics: Sendable {
    package static let descriptions = [
        MetricDescription(
            "gateway_tracestore_requests_total", .counter,
            help: "Requests to the trace store, by route and class of status."),
        MetricDescription(
            "gateway_tracestore_request_duration_seconds", .histogram(.times(upTo: .seconds(60))),
            help: "Seconds that the trace store took to answer."),
        MetricDescription("gateway_tracestore_spans_total", .counter, help: "Spans that were stored."),
    ]

    /// A page of Langfuse's, by which requests are told apart.
    enum Route: Int, CaseIterable {
        case export, health, observations, metrics, traces, projects, scores, sessions, ingestion, other

        private static let prefixes: [(String, Route)] = [
            ("/api/public/traces", .traces), ("/api/public/scores", .scores), ("/api/public/v2/scores", .scores),
            ("/api/public/v3/scores", .scores), ("/api/public/sessions", .sessions),
            ("/api/public/observations", .observations),
        ]

        init(_ path: String) {
            self =
                switch path {
                case "/api/public/otel/v1/traces": .export
                case "/api/public/health": .health
                case "/api/public/v2/observations": .observations
                case "/api/public/v2/metrics": .metrics
                case "/api/public/projects": .projects
                case "/api/public/ingestion": .ingestion
                default: Self.prefixes.first { path.hasPrefix($0.0) }?.1 ?? .other
                }
        }
    }

    private let requests: [Counter]
    private let durations: [Timer]
    private let spans: Counter

    package init(_ registry: MetricsRegistry) {
        registry.describe(Self.descriptions)
        requests = Route.allCases.flatMap { route in
            MetricLabel.statusClasses.map { status in
                Counter(
                    label: "gateway_tracestore_requests_total",
                    dimensions: [("route", String(describing: route)), ("status", status)], factory: registry)
            }
        }
        durations = Route.allCases.map {
            Timer(
                label: "gateway_tracestore_request_duration_seconds",
                dimensions: [("route", String(describing: $0))], factory: registry)
        }
        spans = Counter(label: "gateway_tracestore_spans_total", factory: registry)
    }

    func answered(_ path: String, status: Int, in time: Duration) {
        let route = Route(path).rawValue
        requests[route * MetricLabel.statusClasses.count + MetricLabel.statusClassIndex(status)].increment()
        durations[route].observe(time)
    }

    func stored(_ count: Int) { spans.increment(by: count) }
}
