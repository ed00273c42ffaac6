import TestSupport
import Testing

@testable import Policies

/// Where rules stand, as people are shown it.
struct PolicyDocumentListTests {
    @Test func `each document says its place`() throws {
        let policies = try PolicyFixture.read([
            (
                "a.yaml",
                """
                type: gateway-rate-limiting-config
                name: limits
                rules:
                  - {id: one, limit_to: 1, unit: requests_per_day}
                  - id: two
                    limit_to: 2
                    unit: requests_per_day
                ---
                type: gateway-metadata-config
                keys:
                  team: {required: true}
                """
            ), ("b.yaml", "type: gateway-logging-config\nname: quiet\nlog: false\n"),
        ])
        let found = policies.documents
        #expect(found.map(\.file) == ["a.yaml", "a.yaml", "b.yaml"] && found.map(\.line) == [1, 9, 1])
        #expect(found.map(\.name) == ["limits", nil, "quiet"])
        #expect(
            found.map(\.rules) == [
                [.init(id: "one", line: 4), .init(id: "two", line: 5)], [.init(id: "team", line: 11)], [],
            ])
        #expect(Policies.none.documents.isEmpty)
    }
}
