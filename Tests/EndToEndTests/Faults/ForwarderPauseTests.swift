import Common
import Subprocess
import TestSupport
import Testing

/// A forwarder that stands still for longer than it counts as alive, and comes back (architecture §2.2).
@Suite(.timeLimit(.minutes(5))) struct ForwarderPauseTests {
    private static let jobs = 0..<20

    /// Its answers are there when it wakes, before the new owner's. They count for nothing: no client is answered, and
    /// no job is ended.
    @Test func `what it says afterwards changes nothing`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.ingress { _, port in
                try await fleet.calls(Self.jobs, to: port) { answers in
                    try await fleet.forwarder { paused in
                        try await eventually(within: .seconds(30)) { fleet.provider.held.count == Self.jobs.count }
                        try paused.send(.suspend)
                        try await fleet.forwarder { _ in
                            // The paused one's connections stand, so its calls are held beside the new ones.
                            try await eventually(within: .seconds(30)) {
                                fleet.provider.held.count == 2 * Self.jobs.count
                            }
                            let owners = try await fleet.pending()
                            #expect(owners.values.sorted() == [Self.jobs.count])
                            fleet.provider.answer { $0.number == 1 }
                            try paused.send(.resume)
                            for _ in Self.jobs { try await paused.line(with: "its end here is dropped") }
                            #expect(try await fleet.pending() == owners, "its acknowledgements did nothing")
                            #expect(try await fleet.ids().count == Self.jobs.count)
                            #expect(try await fleet.length(Keys.jobs) == Self.jobs.count)
                            fleet.provider.answer()
                            try await fleet.expectSuccess(try await answers(), byCall: 2...2)
                            #expect(fleet.provider.calls.values.allSatisfy { $0 == 2 })
                        }
                    }
                }
            }
        }
    }

    /// It is given jobs while it stands still in its read, and they are made and answered by another before it sees
    /// them. It starts none of them.
    @Test func `what it was given meanwhile is not made again`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.ingress { _, port in
                _ = try await fleet.forwarder { paused in
                    try await eventually { try await fleet.alive().count == 1 }
                    let name = try #require(try await fleet.alive().first)
                    var locations: [String] = []
                    try await fleet.forwarder { _ in
                        locations = try await giveJobs(to: paused, called: name, fleet, port)
                        try await eventually(within: .seconds(30)) { fleet.provider.held.count == locations.count }
                        fleet.provider.answer()
                        try await eventually { try await fleet.length(Keys.jobs) == 0 }
                        try paused.send(.resume)
                    }
                    // It reads on only behind what it was given: its next job is the last that it has heard of.
                    locations += try await fleet.accept(locations.count..<locations.count + 1, at: port)
                    try await eventually(within: .seconds(30)) { fleet.provider.calls.count == locations.count }
                    fleet.provider.answer()
                    try await eventually { try await fleet.length(Keys.jobs) == 0 }
                    #expect(fleet.provider.calls.values.allSatisfy { $0 == 1 }, "\(fleet.provider.calls)")
                    #expect(try await fleet.ids().count == locations.count)
                }
            }
        }
    }

    /// Pauses a forwarder in its blocked read, and queues jobs until it was given one. Redis gives each to whoever has
    /// waited longest.
    /// - Returns: where the answers to all of them will be.
    private func giveJobs(
        to paused: GatewayProcess, called name: String, _ fleet: GatewayFleet, _ port: Int
    ) async throws -> [String] {
        var locations: [String] = []
        while true {
            try await eventually(within: .seconds(30)) { try await fleet.blockedReaders() == 2 }
            try paused.send(.suspend)
            locations += try await fleet.accept(locations.count..<locations.count + 4, at: port)
            if try await fleet.pending()[name] ?? 0 > 0 { return locations }
            // Its read had just ended.
            try paused.send(.resume)
        }
    }

    /// Its client is told that the forwarder was lost, and hears nothing more of it.
    @Test func `a stream that it had begun ends once`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.ingress { _, port in
                try await withRawClient(to: port) { client in
                    _ = try await fleet.forwarder { paused in
                        let body = ServeTests.body("mock/echo?chunks=10000&pace_ms=50", stream: true)
                        try await client.send("POST", ServeTests.path, body: body)
                        #expect(try await client.head().status == 200)
                        #expect(try await client.chunk() != nil)
                        try paused.send(.suspend)
                        try await fleet.forwarder { _ in
                            var last: [UInt8] = []
                            while let chunk = try await client.chunk() { last = chunk }
                            #expect(String(decoding: last, as: UTF8.self).contains("forwarder_lost"))
                            try paused.send(.resume)
                            try await paused.line(with: "the call was dropped")
                            #expect(
                                try await client.call("GET", "/health").text.contains("healthy"),
                                "nothing came behind the end")
                            #expect(try await fleet.ids().isEmpty)
                            #expect(try await fleet.pending().isEmpty)
                            #expect(try await fleet.length(Keys.jobs) == 0)
                        }
                    }
                }
            }
        }
    }
}
