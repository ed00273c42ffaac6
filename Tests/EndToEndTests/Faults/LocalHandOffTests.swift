import Common
import Subprocess
import TestSupport
import Testing

/// `serve` hands jobs over within its process. When it dies or stands still, others take its jobs over by the stream's
/// rules (architecture §2.2, §2.4).
@Suite(.timeLimit(.minutes(5))) struct LocalHandOffTests {
    private static let jobs = 0..<20

    /// Its clients' connections break with it. Another forwarder makes each call once more, and each id is accounted
    /// for.
    @Test func `the calls of one that dies are made again`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.serve { dying, port in
                try await withHeldCalls(0..<5, to: port, of: fleet) {
                    #expect(try await fleet.pending().values.sorted() == [5], "one consumer holds them all")
                    try dying.send(.kill)
                }
            }
            try await fleet.forwarder { _ in
                try await eventually(within: .seconds(60)) { fleet.provider.held.filter { $0.number == 2 }.count == 5 }
                fleet.provider.answer()
                try await eventually(within: .seconds(30)) { try await fleet.length(Keys.jobs) == 0 }
                #expect(fleet.provider.calls.values.allSatisfy { $0 == 2 })
                #expect(try await fleet.ids().count == 5)
                #expect(try await fleet.pending().isEmpty)
                #expect(try await fleet.length(Keys.dead) == 0)
            }
        }
    }

    /// Opens a connection for each job, sends its request, and runs `body` once all their calls are at the provider.
    private func withHeldCalls(
        _ jobs: Range<Int>, to port: Int, of fleet: GatewayFleet, body: () async throws -> Void
    ) async throws {
        guard let job = jobs.first else {
            try await eventually(within: .seconds(30)) {
                fleet.provider.held.count == fleet.provider.calls.count && fleet.provider.count > 0
            }
            return try await body()
        }
        try await withRawClient(to: port) { client in
            try await client.send("POST", ServeTests.path, body: GatewayFleet.body(job))
            try await eventually(within: .seconds(30)) { fleet.provider.calls["job-\(job)"] == 1 }
            try await withHeldCalls(jobs.dropFirst(), to: port, of: fleet, body: body)
        }
    }

    /// It stands still past its lease, and its own answers are there first when it wakes. They count for nothing: its
    /// clients get the new owner's.
    @Test func `one that stands still answers its clients with the new owners word`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.serve { paused, port in
                try await fleet.calls(Self.jobs, to: port) { answers in
                    try await eventually(within: .seconds(30)) { fleet.provider.held.count == Self.jobs.count }
                    try paused.send(.suspend)
                    try await fleet.forwarder { _ in
                        try await eventually(within: .seconds(60)) { fleet.provider.held.count == 2 * Self.jobs.count }
                        let owners = try await fleet.pending()
                        #expect(owners.values.sorted() == [Self.jobs.count])
                        fleet.provider.answer { $0.number == 1 }
                        try paused.send(.resume)
                        for _ in Self.jobs { try await paused.line(with: "its end here is dropped") }
                        #expect(try await fleet.pending() == owners, "its acknowledgements did nothing")
                        fleet.provider.answer()
                        try await fleet.expectSuccess(try await answers(), byCall: 2...2)
                    }
                }
            }
        }
    }

    /// It had begun to stream: its client is told that it was lost, hears nothing more of it, and the call ends.
    @Test func `a stream that it had begun ends once`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.serve { paused, port in
                try await withRawClient(to: port) { client in
                    let body = ServeTests.body("mock/echo?chunks=10000&pace_ms=50", stream: true)
                    try await client.send("POST", ServeTests.path, body: body)
                    #expect(try await client.head().status == 200)
                    #expect(try await client.chunk() != nil)
                    try paused.send(.suspend)
                    try await fleet.forwarder { _ in
                        try await eventually(within: .seconds(60)) { try await fleet.length(Keys.jobs) == 0 }
                        try paused.send(.resume)
                        var last: [UInt8] = []
                        while let chunk = try await client.chunk() { last = chunk }
                        #expect(String(decoding: last, as: UTF8.self).contains("forwarder_lost"))
                        // It finds out by itself, or by the new owner's word.
                        try await paused.line(with: "job was taken over")
                        #expect(
                            try await client.call("GET", "/health").text.contains("healthy"),
                            "nothing came behind the end")
                        #expect(try await fleet.ids().isEmpty)
                        #expect(try await fleet.pending().isEmpty)
                    }
                }
            }
        }
    }

    /// Two gateways over one Redis: each works on its own clients' jobs, and a full one leaves its jobs to the other.
    @Test func `a full one leaves its jobs to others`() async throws {
        try await GatewayFleet.run(environment: ["FORWARDER_CONCURRENCY": "4"]) { fleet in
            try await fleet.serve { _, port in
                try await fleet.serve { _, _ in
                    try await fleet.calls(0..<8, to: port) { answers in
                        try await eventually(within: .seconds(30)) { fleet.provider.held.count == 8 }
                        #expect(try await fleet.pending().values.sorted() == [4, 4])
                        fleet.provider.answer()
                        try await fleet.expectSuccess(try await answers(), byCall: 1...1)
                    }
                }
            }
        }
    }
}
