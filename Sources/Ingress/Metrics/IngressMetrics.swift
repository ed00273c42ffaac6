internal import Common
internal import CoreMetrics
internal import Hummingbird
internal import NIOCore
package import Telemetry

/// The counters and measurements of an ingress. Every handle that a request needs is made at the start.
package final class IngressMetrics: Sendable {
    /// The codes are the gateway's own; this bound holds if a custom build's are not so few.
    private static let mostCodes = 200

    private let requests: [Counter]
    private let durations: [Timer]
    private let errors: BoundedHandles<Counter>
    private let refusals: BoundedHandles<Counter>

    /// - Parameter longest: how long a request may take (`REQUEST_TIMEOUT`).
    package init(_ registry: MetricsRegistry, longest: Duration) {
        registry.describe(Self.descriptions(longest: longest))
        requests = RoutePattern.allCases.flatMap { route in
            MetricLabel.statusClasses.map { status in
                Counter(
                    label: "gateway_requests_total", dimensions: [("route", route.name), ("status", status)],
                    factory: registry)
            }
        }
        durations = RoutePattern.allCases.map {
            Timer(label: "gateway_request_duration_seconds", dimensions: [("route", $0.name)], factory: registry)
        }
        errors = BoundedHandles(limit: Self.mostCodes) {
            Counter(label: "gateway_request_errors_total", dimensions: [("code", $0)], factory: registry)
        }
        refusals = BoundedHandles(limit: 8) {
            Counter(label: "gateway_rule_refusals_total", dimensions: [("kind", $0)], factory: registry)
        }
    }

    package static func descriptions(longest: Duration) -> [MetricDescription] {
        [
            MetricDescription(
                "gateway_requests_total", .counter,
                help: "Requests to this ingress that were answered, by route and class of status."),
            MetricDescription(
                "gateway_request_duration_seconds", .histogram(.times(upTo: longest)),
                help: "Seconds from a request's head to the end of its answer."),
            MetricDescription(
                "gateway_request_errors_total", .counter,
                help:
                    "Requests that this ingress itself answered with an error, by its code. gateway_call_errors_total counts the errors of forwarders."
            ),
            MetricDescription(
                "gateway_rule_refusals_total", .counter,
                help: "Requests that one of the operator's rules refused, by the kind of rule."),
        ]
    }

    func answered(_ route: RoutePattern, status: Int, in time: TimeAmount) {
        count(route, status: status)
        durations[route.rawValue].recordNanoseconds(time.nanoseconds)
    }

    func refused(_ error: GatewayError) {
        errors[error.code].increment()
        if error.rule != nil { refusals[Self.kind(of: error)].increment() }
    }

    /// Counts an answer now, and measures it when its body is there, or has been written.
    func observe(_ response: inout Response, to route: RoutePattern, since began: NIODeadline) {
        count(route, status: response.status.code)
        let duration = durations[route.rawValue]
        let measure = { @Sendable in duration.recordNanoseconds((NIODeadline.now() - began).nanoseconds) }
        guard response.body.contentLength == nil else { return measure() }
        let body = response.body
        response.body = ResponseBody { writer in
            defer { measure() }
            try await body.write(writer)
        }
    }

    private func count(_ route: RoutePattern, status: Int) {
        let classes = MetricLabel.statusClasses.count
        requests[route.rawValue * classes + MetricLabel.statusClassIndex(status)].increment()
    }

    private static func kind(of error: GatewayError) -> String {
        switch UTF8Text(error.code) {
        case "rate_limit_exceeded", "never_admissible": "rate_limit"
        case "metadata_refused": "metadata"
        case "always_logged": "logging"
        default: MetricLabel.other
        }
    }
}
