import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// What is kept beside a rollout's set is renewed once a second by each process, and always where it is new.
@Suite(.timeLimit(.minutes(5))) struct RenewedRolloutsTests {
    @Test func `each rollout is due once a second`() {
        let (renewed, now) = (RenewedRollouts(), ContinuousClock.now)
        #expect(renewed.isDue("a", now: now) && renewed.isDue("b", now: now))
        #expect(!renewed.isDue("a", now: now) && !renewed.isDue("b", now: now + .milliseconds(400)))
        #expect(renewed.isDue("a", now: now + .seconds(1)) && !renewed.isDue("a", now: now + .seconds(1)))
    }

    private static let lives = [
        RolloutKeys.sample.set, RolloutKeys.sample.record, RolloutKeys.sample.list, RolloutKeys.sample.count,
    ]

    /// Shortens all lives by half, adds a completion, and says which lives are whole again.
    private func renewed(_ fixture: QueueFixture, by admission: JobAdmission) async throws -> [Bool] {
        for key in Self.lives { try await fixture.send("EXPIRE", key, 50) }
        #expect(try await admission.enqueue(fixture.job()) != .tooLate)
        var renewed: [Bool] = []
        for key in Self.lives { renewed.append(try #require(try await fixture.send("TTL", key).int) > 50) }
        return renewed
    }

    @Test func `the set at once and the others once a second`() async throws {
        try await QueueFixture.run { fixture in
            let admission = fixture.admission()
            _ = try await admission.enqueue(fixture.job())
            // Within the second of the first, unless that has just ended.
            try await eventually { try await renewed(fixture, by: admission) == [true, false, false, false] }
            try await eventually { try await renewed(fixture, by: admission) == [true, true, true, true] }
        }
    }

    /// Another process renews by itself, and so does one that finds a rollout's keys gone.
    @Test(arguments: [RolloutKeys.sample.record, RolloutKeys.sample.count]) func `what is new has a life`(
        _ lost: String
    ) async throws {
        try await QueueFixture.run { fixture in
            let admission = fixture.admission()
            for _ in 0..<3 { _ = try await admission.enqueue(fixture.job()) }
            try await fixture.send("DEL", lost)
            _ = try await admission.enqueue(fixture.job())
            #expect(try await fixture.send("TTL", lost).int ?? -1 > 0)
            #expect(try await fixture.send("GET", RolloutKeys.sample.count).string == "4")
            #expect(try await fixture.send("HGET", RolloutKeys.sample.record, "ids").string == "4")
            #expect(try await fixture.send("HGET", RolloutKeys.sample.record, "invocation_id").string == "i")
            #expect(try await renewed(fixture, by: fixture.admission()) == [true, true, true, true])
        }
    }
}
