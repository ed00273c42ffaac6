import Testing

@testable import Ingress

struct RoutePatternTests {
    @Test(arguments: [
        ("/v1/chat/completions", RoutePattern.completion), ("/project_id/p/v1/chat/completions", .completion),
        ("/rollout_id/r/invocation_id/i/experiment_id/e/run_id/n/row_id/7/chat/completions", .rollout),
        ("/health", .health), ("/v1/ready", .ready), ("/metrics", .metrics), ("/v1/metrics/query", .metricsQuery),
        ("/logs", .logs), ("/v1/logs/requests", .requestLogs), ("/v1/logs/audit", .auditLogs),
        ("/v1/logs/requests/0190", .requestLogs),
        ("/traces", .traces), ("/traces/pointwise", .traces), ("/rollouts/r", .rollouts), ("/jobs/0190", .jobs),
        ("/v1/queue", .queue), ("/v1/queue/dead/1-0/requeue", .queue), ("/queue/other", .other),
        ("/v1/rules/explain", .rules), ("/openapi.json", .openAPI), ("/embeddings", .other), ("/", .other),
        ("/health/x", .other), ("/rollout_id//chat/completions", .other),
    ])
    func `a path has a pattern`(path: String, pattern: RoutePattern) {
        #expect(RoutePattern(path) == pattern)
    }

    @Test func `names are unique`() {
        #expect(Set(RoutePattern.allCases.map(\.name)).count == RoutePattern.allCases.count)
    }
}
