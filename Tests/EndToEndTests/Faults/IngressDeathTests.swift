import Common
import Subprocess
import TestSupport
import Testing

/// kill -9 of an ingress while its clients wait.
@Suite(.timeLimit(.minutes(5))) struct IngressDeathTests {
    private static let each = 10

    /// Its jobs finish, whoever waited for them. The answers that are kept are fetched at another ingress.
    @Test(arguments: DisconnectPolicy.allCases) func `its jobs finish and their answers are fetched elsewhere`(
        policy: DisconnectPolicy
    ) async throws {
        try await GatewayFleet.run(environment: ["ON_DISCONNECT": policy.rawValue]) { fleet in
            try await fleet.forwarder { _ in
                try await fleet.ingress { _, survivor in
                    var locations: [String] = []
                    try await fleet.ingress { dying, port in
                        locations = try await fleet.accept(0..<Self.each, at: port)
                        try await lose(dying, at: port, with: Self.each..<2 * Self.each, in: fleet)
                    }
                    let ids = try await fleet.ids()
                    fleet.provider.answer()
                    try await eventually { try await fleet.length(Keys.jobs) == 0 }
                    #expect(ids.count == 2 * Self.each)
                    #expect(try await fleet.ids() == ids, "they all succeeded")
                    #expect(fleet.provider.calls.values.allSatisfy { $0 == 1 })
                    if policy == .finish { locations = ids.map { "/v1/jobs/\($0)" } }
                    try await expectAnswers(at: locations, survivor)
                }
            }
        }
    }

    /// Kills an ingress on which clients wait for these jobs.
    private func lose(
        _ ingress: GatewayProcess, at port: Int, with jobs: Range<Int>, in fleet: GatewayFleet
    ) async throws {
        try await withThrowingTaskGroup { group in
            for job in jobs {
                group.addTask {
                    try await withRawClient(to: port) { client in
                        try await client.send("POST", ServeTests.path, body: GatewayFleet.body(job))
                        #expect(await client.untilClosed().isEmpty)
                    }
                }
            }
            try await eventually(within: .seconds(30)) { fleet.provider.held.count == jobs.upperBound }
            try ingress.send(.kill)
            try await group.waitForAll()
        }
    }

    private func expectAnswers(at locations: [String], _ port: Int) async throws {
        var jobs: Set<String> = []
        for location in locations {
            let answer = try await withRawClient(to: port) { try await $0.call("GET", location + "?wait=20") }
            let text = try #require(
                answer.text.firstRange(of: CountingProvider.text(1, of: "job-")[...].dropLast()),
                "\(answer.status) \(answer.text)")
            jobs.insert("job-" + answer.text[text.upperBound...].prefix { $0.isNumber })
            #expect(answer.status == 200)
        }
        #expect(jobs.count == locations.count, "each its own")
    }
}
