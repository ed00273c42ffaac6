internal import HTTPServing
internal import HTTPTypes

extension TraceStoreResponder {
    /// All that the store answers. `keyed` routes need the keys of a project; `fault` names what a test may let go
    /// wrong. Another method of these paths is a 405.
    static let table = RouteTable<StoreRoute>([
        .open(.get, "/api/public/health", fault: .health) { $0.health },
        .keyed(.get, "/api/public/projects") { $0.projects($1) },
        // What SDKs and exporters write.
        .keyed(.post, "/api/public/otel/v1/traces", fault: .export) { try await $0.export($1) },
        .keyed(.post, "/api/public/ingestion", fault: .ingestion) { try await $0.events($1) },
        .keyed(.post, "/api/public/scores", fault: .ingestion) { try await $0.writeScores($1) },
        .keyed(.delete, "/api/public/scores/{+id}", fault: .ingestion) { try await $0.deleteScore($1) },
        .keyed(.delete, "/api/public/traces") { throw $0.notServed("deletion of traces", $1.logger) },
        .keyed(.delete, "/api/public/traces/{+id}") { throw $0.notServed("deletion of traces", $1.logger) },
        // The newer API.
        .keyed(.get, "/api/public/v2/observations", fault: .observations) { try await $0.observations($1) },
        .keyed(.get, "/api/public/v2/metrics", fault: .metrics) { try await $0.metrics($1) },
        .keyed(.get, "/api/public/v3/scores", fault: .scores) { try await $0.scorePage($1) },
        // The older one.
        .keyed(.get, "/api/public/traces", fault: .traces) { try await $0.traces($1) },
        .keyed(.get, "/api/public/traces/{+id}", fault: .traces) { try await $0.trace($1) },
        .keyed(.get, "/api/public/observations", fault: .traces) { try await $0.olderObservations($1) },
        .keyed(.get, "/api/public/observations/{+id}", fault: .traces) { try await $0.olderObservation($1) },
        .keyed(.get, "/api/public/sessions", fault: .traces) { try await $0.sessions($1) },
        .keyed(.get, "/api/public/sessions/{+id}", fault: .traces) { try await $0.session($1) },
        .keyed(.get, "/api/public/v2/scores", fault: .traces) { try await $0.scores($1, .v2) },
        .keyed(.get, "/api/public/v2/scores/{+id}", fault: .traces) { try await $0.score($1, .v2) },
        .keyed(.get, "/api/public/scores", fault: .traces) { try await $0.scores($1, .v1) },
        .keyed(.get, "/api/public/scores/{+id}", fault: .traces) { try await $0.score($1, .v1) },
    ])
}
