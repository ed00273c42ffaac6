internal import Common

/// The pattern of a request's path, fit for a metric's label: no client's text is in it.
enum RoutePattern: Int, CaseIterable {
    case rollout, completion, health, ready, metrics, metricsQuery, logs, requestLogs, auditLogs, status, traces
    case rollouts, jobs, rules, queue, openAPI, dashboard, other

    /// - Parameter path: as it came.
    init(_ path: String) {
        guard let parsed = try? GatewayPath(path) else {
            self = .other
            return
        }
        switch parsed.route {
        case .rollout: self = .rollout
        case .completion: self = .completion
        case .other(let rest): self = Self.page(rest)
        }
    }

    private static func page(_ path: String) -> RoutePattern {
        let segments = path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 2)
        guard let first = segments.first else { return .other }
        let second = segments.dropFirst().first.map { UTF8Text(String(decoding: $0, as: UTF8.self)) }
        switch (UTF8Text(String(decoding: first, as: UTF8.self)), second) {
        case ("health", nil): return .health
        case ("ready", nil): return .ready
        case ("metrics", nil): return .metrics
        case ("metrics", "query"): return .metricsQuery
        case ("logs", nil): return .logs
        case ("logs", "requests"): return .requestLogs
        case ("logs", "audit"): return .auditLogs
        case ("status", nil): return .status
        case ("traces", _): return .traces
        case ("rollouts", _): return .rollouts
        case ("jobs", _): return .jobs
        case ("rules", "explain"): return .rules
        case ("queue", nil), ("queue", "dead"): return .queue
        case ("openapi.json", nil): return .openAPI
        case ("dashboard", _): return .dashboard
        default: return .other
        }
    }

    /// The label.
    var name: String {
        switch self {
        case .rollout: "/rollout_id/{rollout_id}/…/chat/completions"
        case .completion: "/chat/completions"
        case .health: "/health"
        case .ready: "/ready"
        case .metrics: "/metrics"
        case .metricsQuery: "/metrics/query"
        case .logs: "/logs"
        case .requestLogs: "/logs/requests"
        case .auditLogs: "/logs/audit"
        case .status: "/status"
        case .traces: "/traces"
        case .rollouts: "/rollouts"
        case .jobs: "/jobs/{insertion_id}"
        case .rules: "/rules/explain"
        case .queue: "/queue"
        case .openAPI: "/openapi.json"
        case .dashboard: "/dashboard"
        case .other: "other"
        }
    }
}
