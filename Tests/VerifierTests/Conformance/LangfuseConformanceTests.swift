import TestSupport
import Testing

@testable import Common
@testable import Verifier

/// Both of Langfuse's APIs, and both ways to know a completion's row.
@Suite(.timeLimit(.minutes(5))) struct LangfuseConformanceTests {
    @Test(arguments: [("v1", TraceIdentity.traceID), ("v1", .tag), ("v2", .traceID), ("v2", .tag)])
    func conforms(_ api: String, _ identity: TraceIdentity) async throws {
        let server = FakeLangfuse(apis: [api], version: api == "v1" ? "3.110.0" : "4.16.0")
        try await withSource(server, identity: identity) { source in
            try await TraceSourceConformance(
                source: source, identity: identity, export: { server.show($0) }, give: { server.give($0, scores: $1) }
            ).check()
        }
        #expect(server.targets.filter { $0.hasSuffix("/health") }.count == 1)
        // A head of 16 KiB is all that a server takes.
        #expect(server.targets.allSatisfy { $0.utf8.count < 14_000 })
    }
}

/// Runs `body` with the product's reader of a server.
func withSource(
    _ server: FakeLangfuse, identity: TraceIdentity = .traceID, apis: LangfuseAPIs = .init(),
    _ body: (LangfuseSource) async throws -> Void
) async throws {
    try await withRedisServer { redis in
        try await withRedisClient(redis.endpoint) { redis in
            let budget = RateBudget(redis: redis, clock: ManualTime().clock)
            try await body(LangfuseSource(.sample, identity: identity, upstream: server, budget: budget, apis: apis))
        }
    }
}
