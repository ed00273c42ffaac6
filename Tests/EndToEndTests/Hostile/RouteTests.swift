import Common
import TestSupport
import Testing

/// The gateway has no other pages than it says, and none of them is open to whoever shows no key.
@Suite(.timeLimit(.minutes(5))) struct RouteTests {
    private static let targets = [
        "/metrics", "/debug", "/debug/pprof", "/test", "/config", "/config/update", "/admin", "/env", "/.env",
        "/.git/config", "/key/generate",
        "/mcp/test",
        "/mcp-rest/test/connection", "/docs", "/openapi.yaml", "/jobs", "/v1/jobs/01890a5d-ac96-774b-bcce-b302099a8057",
        "/queue", "/shutdown",
        "/secrets",
        "/", "/v1", "/models", "/rollout_id/demo", "/project_id/main/verify", "/health/../config", "//config",
        "http://other/config",
    ]

    @Test func `who shows no key gets no page`() async throws {
        try await ProgramFolder.with { folder in
            let digest = String(repeating: "0a", count: 32)
            try folder.write(
                "keys:\n  - id: a\n    account: team\n    sha256: \(digest)\n    projects: \"*\"\n", to: "keys.yaml")
            let ending = try await folder.serve(environment: ["API_KEYS_PATH": "keys.yaml"]) { _, port in
                for target in Self.targets {
                    for method in ["GET", "POST", "PUT", "DELETE"] {
                        for headers in [[], ["Authorization: Bearer \(digest)"], ["Authorization: Basic YTph"]] {
                            let answer = try await withRawClient(to: port) {
                                try await $0.call(method, target, headers: headers)
                            }
                            #expect(
                                [400, 401].contains(answer.status),
                                "\(method) \(target): \(answer.status) \(answer.text)")
                        }
                    }
                }
                for target in ["/health", "/ready", "/openapi.json"] {
                    #expect(try await withRawClient(to: port) { try await $0.call("GET", target) }.status == 200)
                }
            }
            #expect(ending.code == 0)
        }
    }

    /// Where no key is asked for, such a target, but for the metrics, is a call that no backend is there for.
    @Test func `what is no page is no page for anyone`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { _, port in
                for target in Self.targets where target != "/metrics" {
                    for method in ["GET", "POST", "PUT", "DELETE"] {
                        let answer = try await withRawClient(to: port) { try await $0.call(method, target) }
                        #expect(
                            (400..<500).contains(answer.status) && answer.error != nil,
                            "\(method) \(target): \(answer.status) \(answer.text)")
                    }
                }
            }
            #expect(ending.code == 0)
        }
    }
}
