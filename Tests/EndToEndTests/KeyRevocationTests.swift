import Common
import TestSupport
import Testing

/// The keys of the gateway's clients change while it runs.
@Suite(.timeLimit(.minutes(5))) struct KeyRevocationTests {
    /// SHA-256 of `sk-staying`, `sk-leaving` and `sk-coming`.
    private static let digests = [
        "staying": "4274dbff544056c145343565540c60643b2ca3132ff190f027ac632244c2e439",
        "leaving": "5d9cead0bd0a9abbc929b6b381614989ea349d47f6206014fa4e9e24d53b47f1",
        "coming": "8dc4de3f03c10983b50ba108aa868aa58ad6ed529d37a5588ce790292a745bef",
    ]

    private func file(_ keys: String...) -> String {
        "keys:\n"
            + keys.map { "  - {id: \($0), account: team, sha256: \(Self.digests[$0] ?? ""), projects: \"*\"}\n" }
            .joined()
    }

    /// Whether a key opens all these ingresses. Nil where they differ.
    private func opens(_ key: String, _ ports: [Int]) async throws -> Bool? {
        var statuses: Set<Int> = []
        for port in ports {
            // Who is let in learns that there is no such job.
            let answer = try await withRawClient(to: port) { client in
                try await client.call(
                    "GET", "/v1/jobs/01a203ac-966f-708b-8461-f0092eb2af62", headers: ["Authorization: Bearer sk-\(key)"]
                )
            }
            statuses.insert(answer.status)
        }
        #expect(statuses.isSubset(of: [401, 404]))
        return statuses.count == 1 ? statuses == [404] : nil
    }

    @Test func `a key that leaves the file opens no ingress any longer`() async throws {
        try await GatewayFleet.run(environment: ["API_KEYS_PATH": "keys.yaml"]) { fleet in
            try fleet.folder.write(file("staying", "leaving"), to: "keys.yaml")
            try await fleet.ingress { first, firstPort in
                try await fleet.ingress { second, secondPort in
                    let ports = [firstPort, secondPort]
                    #expect(try await opens("staying", ports) == true)
                    #expect(try await opens("leaving", ports) == true)

                    try fleet.folder.write(file("staying"), to: "keys.yaml")
                    try await eventually { try await opens("leaving", ports) == false }
                    #expect(try await opens("staying", ports) == true)

                    try fleet.folder.write("keys:\n  - {id: broken, sha256: sk-canary}\n", to: "keys.yaml")
                    for ingress in [first, second] {
                        let line = try await ingress.line(with: "the clients' keys stay as they were")
                        #expect(line.contains("keys.yaml:2:") && !line.contains("sk-canary"), "\(line)")
                    }
                    #expect(try await opens("staying", ports) == true, "nobody is locked out by a mistake")

                    try fleet.folder.write(file("coming"), to: "keys.yaml")
                    try await eventually { try await opens("coming", ports) == true }
                    #expect(try await opens("staying", ports) == false)
                }
            }
        }
    }
}
