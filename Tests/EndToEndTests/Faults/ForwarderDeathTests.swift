import Common
import Redis
import Subprocess
import TestSupport
import Testing

/// kill -9 of forwarders in the middle of their calls (architecture §2.2, §2.4).
@Suite(.timeLimit(.minutes(5))) struct ForwarderDeathTests {
    /// 200 calls are in flight at the one that dies, and 60 more are anybody's. The dead one's are made again by the
    /// others, once; nobody else's are.
    @Test func `the others answer for one that dies with 200 calls`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.ingress { _, port in
                try await fleet.calls(0..<200, to: port) { answers in
                    try await fleet.forwarder { first in
                        try await eventually(within: .seconds(60)) { fleet.provider.held.count == 200 }
                        let name = try #require(try await fleet.alive().first)
                        try await fleet.forwarders(2) {
                            try await eventually(within: .seconds(30)) { try await fleet.alive().count == 3 }
                            try await fleet.calls(200..<260, to: port) { moreAnswers in
                                try await eventually(within: .seconds(60)) { fleet.provider.held.count == 260 }
                                try await expectTakeover(of: name, from: first, in: fleet) {
                                    try await answers().merging(moreAnswers()) { $1 }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func expectTakeover(
        of name: String, from forwarder: GatewayProcess, in fleet: GatewayFleet, answers: GatewayFleet.Answers
    ) async throws {
        let all = fleet.provider.count
        let lost = try await fleet.pending()[name] ?? 0
        try forwarder.send(.kill)
        let death = ContinuousClock.now
        try await eventually { fleet.provider.held.count == all - lost }
        try await eventually(within: .seconds(30)) { fleet.provider.held.count == all }
        fleet.provider.answer()
        let answers = try await answers()
        #expect(death.duration(to: .now) < .seconds(30))
        #expect(
            lost >= 200 && fleet.provider.count == all + lost, "the dead one's calls, once more each, and no others")
        #expect(fleet.provider.calls.values.allSatisfy { $0 <= 2 })
        try await fleet.expectSuccess(answers, byCall: 1...2)
    }

    /// A forwarder that starts when the dead one's liveness is long over waits all the same: Redis may have forgotten
    /// who lives.
    @Test func `a newcomer takes over only after ten steady seconds`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.ingress { _, port in
                try await fleet.calls(0..<10, to: port) { answers in
                    try await fleet.forwarder { first in
                        try await eventually(within: .seconds(30)) { fleet.provider.held.count == 10 }
                        try first.send(.kill)
                    }
                    try await eventually(within: .seconds(20)) { try await fleet.alive().isEmpty }
                    let start = ContinuousClock.now
                    try await fleet.forwarder { _ in
                        try await eventually(within: .seconds(30)) { fleet.provider.held.count == 10 }
                        #expect(start.duration(to: .now) >= .seconds(10))
                        fleet.provider.answer()
                        try await fleet.expectSuccess(try await answers(), byCall: 2...2)
                    }
                }
            }
        }
    }

    /// Whoever makes the call is killed. Nobody makes it a fourth time.
    @Test func `a job that three forwarders die of is a dead letter`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.ingress { _, port in
                try await fleet.calls(0..<1, to: port) { answers in
                    for death in 1...3 {
                        try await fleet.forwarder { forwarder in
                            try await eventually(within: .seconds(30)) {
                                fleet.provider.held.contains { $0.number == death }
                            }
                            try forwarder.send(.kill)
                        }
                    }
                    try await fleet.forwarder { _ in
                        let answer = try #require(try await answers()[0])
                        #expect(answer.status == 502 && answer.error?.code == "dead_lettered")
                        #expect(
                            answer.error?.message.contains("given to 3 forwarders") == true
                                && answer["x-should-retry"] == "false")
                        try await expectLetter(fleet, of: try #require(answer["x-insertion-id"]))
                    }
                }
            }
        }
    }

    private func expectLetter(_ fleet: GatewayFleet, of id: String) async throws {
        #expect(fleet.provider.calls == ["job-0": 3])
        let letters = try await fleet.redis.send(RedisCommand("XRANGE", Keys.dead, "-", "+"))
        #expect(letters.array?.count == 1)
        let fields = letters[0][1]
        #expect(fields[0].string == "reason" && fields[1].string?.contains("given to 3 forwarders") == true)
        #expect(fields[4].string == "i" && fields[5].string == id)
        #expect(try await fleet.ids().isEmpty, "it did not succeed")
        #expect(try await fleet.length(Keys.jobs) == 0)
        #expect(try await fleet.pending().isEmpty)
    }
}
