import Common
import NIOConcurrencyHelpers
import Subprocess
import TestSupport
import Testing
import TraceStore

/// Whatever happens to the trace store and to those who bring it spans or ask it for them: a rollout becomes `complete`
/// without anyone's help, and never before every trace is there.
@Suite(.timeLimit(.minutes(5))) struct TraceFaultTests {
    private static func complete(_ count: Int, port: Int) async throws {
        try await RolloutTests.complete(0..<count, port: port)
    }

    private static func verdict(_ query: String = "", port: Int) async throws -> String {
        try await RolloutTests.get("/v1/rollouts/demo\(query)", port: port).text
    }

    private static func isComplete(_ verdict: String, _ count: Int) -> Bool {
        verdict.contains(
            #""verdict":"complete","expected":\#(count),"traced":\#(count),"in_flight":0,"failed":0,"missing":[]"#)
    }

    /// Waits for the verdict while `body` runs, which gets it when it is there.
    private static func waiting(
        port: Int, _ body: (_ verdict: () async throws -> String) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await verdict("?wait=280", port: port) }
            defer { group.cancelAll() }
            try await body { try #require(try await group.next()) }
        }
    }

    @Test func `a store that is away for a minute`() async throws {
        try await TraceRig.run { rig in
            try await rig.parts(forwarders: 2) { port in
                let away = ContinuousClock.now
                try await Self.complete(60, port: port)
                let early = try await Self.verdict(port: port)
                #expect(early.contains(#""verdict":"unknown""#) && early.contains(#""reason":""#), "\(early)")
                try await Self.waiting(port: port) { final in
                    try await eventually(within: .seconds(90)) { away.duration(to: .now) > .seconds(60) }
                    #expect(
                        try await RolloutTests.get("/ready", port: port).text.contains(
                            "the trace store does not take traces"))
                    try await rig.store {
                        let final = try await final()
                        #expect(Self.isComplete(final, 60), "\(final)")
                    }
                }
            }
        }
    }

    /// A quarter of the spans is lost after they were accepted, every page is refused once, every row comes twice, and
    /// none can be seen at once.
    @Test func `a store that does everything wrong`() async throws {
        let (lost, kept) = (NIOLockedValueBox<Set<String>>([]), NIOLockedValueBox<Set<String>>([]))
        try await TraceRig.run(environment: ["VERIFY_RESEND_GRACE": "2"]) { rig in
            rig.faults.change { faults in
                faults.loses = { id in
                    // Trace ids end at random. What is sent again is taken.
                    if id.last.map("048c".contains) ?? false, lost.withLockedValue({ $0.insert(id).inserted }) {
                        return true
                    }
                    kept.withLockedValue { _ = $0.insert(id) }
                    return false
                }
                faults.refusals = [Faults.Refusal(429, on: [.observations], retryAfter: 1, isEverySecond: true)]
                faults.duplicates = true
                faults.visibilityDelay = .milliseconds(500)
            }
            try await rig.store {
                try await rig.parts(forwarders: 2) { port in
                    try await Self.complete(200, port: port)
                    let verdict = try await Self.verdict("?wait=200", port: port)
                    #expect(Self.isComplete(verdict, 200), "\(verdict)")
                    #expect(kept.withLockedValue { $0.count } == 200, "every trace is there when it is said to be")
                    #expect((20...80).contains(lost.withLockedValue { $0.count }))
                    let traces = try await RolloutTests.get("/traces?tags=rollout_id:demo&limit=1000", port: port)
                    #expect(
                        traces.status == 200 && traces.text.hasPrefix(#"{"project_id":"main","total_traces":200,"#),
                        "\(traces.text.prefix(300))")
                }
            }
        }
    }

    /// kill -9 of a forwarder whose batch the store has not taken yet, and of one whose batch it has taken without
    /// saying so.
    @Test(arguments: [false, true]) func `an exporter that dies mid batch`(isTaken: Bool) async throws {
        let hold = Hold()
        try await TraceRig.run { rig in
            let wait: @Sendable (Faults.Route) async -> Void = { if $0 == .export { await hold.pass() } }
            rig.faults.change { faults in if isTaken { faults.waitsAfter = wait } else { faults.waitsBefore = wait } }
            try await rig.store {
                try await rig.parts(forwarders: 0) { port in
                    try await rig.fleet.forwarder { forwarder in
                        try await Self.complete(30, port: port)
                        await hold.untilReached()
                        let early = try await Self.verdict(port: port)
                        #expect(isTaken || !Self.isComplete(early, 30), "\(early)")
                        try forwarder.send(.kill)
                    }
                    rig.faults.change { faults in
                        (faults.waitsBefore, faults.waitsAfter) = (nil, nil)
                        // What lies in the socket of the dead one is not taken after all.
                        if !isTaken { faults.refusals = [Faults.Refusal(503, on: [.export], times: 1)] }
                    }
                    hold.open()
                    try await rig.fleet.forwarder { _ in
                        let verdict = try await Self.verdict("?wait=200", port: port)
                        #expect(Self.isComplete(verdict, 30), "\(verdict)")
                        try await rig.exported(30)
                    }
                }
            }
        }
    }

    /// kill -9 of a verifier while it asks the store; the client that waits hears from another one.
    @Test func `a verifier that dies mid pass`() async throws {
        let hold = Hold()
        try await TraceRig.run { rig in
            try await rig.store {
                try await rig.fleet.ingress { _, port in
                    try await rig.fleet.forwarder { _ in
                        try await Self.complete(30, port: port)
                        try await rig.exported(30)
                        rig.faults.change { $0.waitsBefore = { if $0 == .observations { await hold.pass() } } }
                        try await rig.verifier { first in
                            try await Self.waiting(port: port) { final in
                                await hold.untilReached()
                                try first.send(.kill)
                                rig.faults.change { $0.waitsBefore = nil }
                                hold.open()
                                try await rig.verifier { _ in
                                    let final = try await final()
                                    #expect(Self.isComplete(final, 30), "\(final)")
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
