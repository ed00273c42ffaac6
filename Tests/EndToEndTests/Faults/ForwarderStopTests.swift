import Common
import Subprocess
import TestSupport
import Testing

/// SIGTERM of a forwarder (architecture §4).
@Suite(.timeLimit(.minutes(5))) struct ForwarderStopTests {
    private static let drain = Duration.seconds(10)

    /// It takes nothing more; what its provider answers in time is answered by it; the rest goes to another forwarder,
    /// uncounted.
    @Test func `it ends what it can and hands the rest back`() async throws {
        try await GatewayFleet.run(environment: ["DRAIN_SECONDS": "\(Self.drain.components.seconds)"]) { fleet in
            try await fleet.ingress { _, port in
                try await fleet.calls(0..<20, to: port) { answers in
                    let ending = try await fleet.forwarder { stopping in
                        try await eventually(within: .seconds(30)) { fleet.provider.held.count == 20 }
                        let name = try #require(try await fleet.alive().first)
                        try await fleet.forwarder { _ in
                            try await eventually { try await fleet.alive().count == 2 }
                            let stop = ContinuousClock.now
                            try stopping.send(.terminate)
                            try await stopping.line(with: "draining")
                            try await fleet.calls(20..<30, to: port) { moreAnswers in
                                try await eventually { fleet.provider.held.count == 30 }
                                #expect(try await fleet.pending()[name] == 20, "its intake has stopped")
                                fleet.provider.answer { $0.job.count == "job-0".count }
                                try await eventually { try await fleet.pending()[name] == 10 }
                                #expect(isRunning(process: stopping.id), "it waits for what still runs")
                                try await eventually(within: .seconds(20)) { !isRunning(process: stopping.id) }
                                #expect(stop.duration(to: .now) >= Self.drain)
                                try await eventually(within: .seconds(30)) { fleet.provider.held.count == 20 }
                                #expect(
                                    try await fleet.deliveries() == Array(repeating: 1, count: 20),
                                    "handing back is no death")
                                fleet.provider.answer()
                                let all = try await answers()
                                for (job, answer) in all {
                                    #expect(
                                        answer.text.contains(CountingProvider.text(job < 10 ? 1 : 2, of: "job-\(job)")))
                                }
                                try await fleet.expectSuccess(all.merging(moreAnswers()) { $1 }, byCall: 1...2)
                            }
                        }
                    }
                    #expect(ending.code == 0, "\(ending.output)")
                }
            }
        }
    }
}
