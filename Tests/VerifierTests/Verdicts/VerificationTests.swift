import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Redis
@testable import Verifier

/// Verdicts, with a real Redis and a trace store in memory.
@Suite(.timeLimit(.minutes(5))) struct VerificationTests {
    @Test func `a rollout whose traces are there is complete`() async throws {
        try await VerifierFixture.run { fixture in
            _ = try await fixture.complete(3)
            let verdict = try await fixture.verifier().verify(
                Rollout("r", project: "local"), patience: fixture.patience())
            #expect(verdict?.kind == .complete && verdict?.expected == 3 && verdict?.traced == 3)
        }
    }

    @Test func `a verdict that holds costs no call and one that does not is made anew`() async throws {
        try await VerifierFixture.run { fixture in
            _ = try await fixture.complete(3)
            _ = try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())
            let asked = fixture.store.asked
            #expect(
                try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())?.kind
                    == .complete)
            #expect(fixture.store.asked == asked)
            let more = try await fixture.complete(1)
            #expect(
                try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())?
                    .expected == 4)
            // Only the new one was asked for.
            #expect(fixture.store.asked == asked + 1)
            #expect(fixture.store.targets.last?.contains(more[0].hex) == true)
        }
    }

    @Test func `what is unknown failed or in flight is told apart`() async throws {
        try await VerifierFixture.run { fixture in
            #expect(
                try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience()) == nil
            )
            let traced = try await fixture.complete(2)
            let (flying, missing, failing) = (fixture.ids.next(), fixture.ids.next(), fixture.ids.next())
            try await fixture.begin([flying, missing, failing])
            try await fixture.finish(missing)
            try await fixture.fail(failing)
            fixture.time.advance(.seconds(10))
            let verdict = try #require(
                try await fixture.verifier().verify(
                    Rollout("r", project: "local"), patience: fixture.patience(attempts: 1)))
            #expect(
                verdict.kind == .incomplete && verdict.expected == 4 && verdict.traced == traced.count
                    && verdict.inFlight == 1)
            #expect(verdict.missing == [missing.description] && verdict.failed == 1)
        }
    }

    /// More was exported than `OUTBOX_BYTES` keeps before anybody asked: the first spans are gone, and their traces are
    /// there.
    @Test func `spans that made room are not taken for calls in flight`() async throws {
        try await VerifierFixture.run { fixture in
            let ids = try await fixture.complete(300)
            for id in ids.prefix(200) { try await fixture.send("DEL", Keys.span(id)) }
            let oldest = ids[200].milliseconds / 1000
            try await fixture.send("RPUSH", Keys.keptTraces, "\(oldest) 6 \(Keys.span(ids[200]))")
            let verdict = try await fixture.verifier().verify(
                Rollout("r", project: "local"), patience: fixture.patience(attempts: 1))
            #expect(verdict?.kind == .complete && verdict?.traced == 300)
        }
    }

    /// Other programs may write to Redis.
    @Test func `a note of kept spans from another time stops no verifier`() async throws {
        try await VerifierFixture.run { fixture in
            try await fixture.begin([fixture.ids.next()])
            try await fixture.send("RPUSH", Keys.keptTraces, "\(UInt64.max) 6 a")
            let verdict = try await fixture.verifier().verify(
                Rollout("r", project: "local"), patience: fixture.patience(attempts: 1))
            #expect(verdict?.kind == .incomplete && verdict?.expected == 1)
        }
    }

    @Test func `an interim verdict serves others for a second`() async throws {
        try await VerifierFixture.run { fixture in
            try await fixture.begin([fixture.ids.next()])
            let verifier = fixture.verifier()
            let first = try #require(
                try await verifier.verify(Rollout("r", project: "local"), patience: fixture.patience(attempts: 1)))
            fixture.time.advance(.milliseconds(900))
            #expect(
                try await verifier.verify(Rollout("r", project: "local"), patience: fixture.patience(attempts: 1))
                    == first)
            fixture.time.advance(.milliseconds(200))
            #expect(
                try await verifier.verify(Rollout("r", project: "local"), patience: fixture.patience(attempts: 1))?
                    .checkedAt
                    ?? 0
                    > first.checkedAt)
        }
    }

    @Test func `a span that the store lost is sent again until it is there`() async throws {
        try await VerifierFixture.run { fixture in
            let ids = try await fixture.complete(4)
            let lost = fixture.ids.next()
            try await fixture.begin([lost])
            try await fixture.finish(lost)
            // Accepted 20 s ago, and lost.
            try await fixture.export(keeping: 3_580_000)
            let resent = Counter()
            fixture.time.onSleep.withLockedValue {
                $0 = {
                    for id in try await fixture.export() {
                        #expect(id == lost)
                        resent.add()
                        fixture.store.show([FakeSpan(id)])
                    }
                }
            }
            let verdict = try #require(
                try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience()))
            #expect(verdict.kind == .complete && verdict.expected == ids.count + 1 && resent.value == 1)
        }
    }

    @Test func `two verifiers send a span again once`() async throws {
        try await VerifierFixture.run { fixture in
            let ids = (0..<3).map { _ in fixture.ids.next() }
            for id in ids { try await fixture.finish(id) }
            try await fixture.export(keeping: 3_580_000)
            try await fixture.send("PEXPIRE", Keys.span(ids[2]), 3_590_000)
            let resender = SpanResender(redis: fixture.redis, grace: .seconds(15), spanLife: .seconds(86_400))
            #expect(
                try await resender.states(of: ids).map {
                    if case .sent(let ago) = $0 { ago >= .seconds(15) } else { false }
                } == [true, true, false])
            #expect(try await resender.resend(ids, project: "local") == 2)
            #expect(try await resender.resend(ids, project: "local") == 0)
            #expect(try await resender.states(of: ids).prefix(2) == [.waiting, .waiting])
            #expect(try await fixture.send("GET", Keys.traceBytes).int == 12)
            let entries = try await fixture.send("XRANGE", Keys.traces(project: "local"), "-", "+").array ?? []
            #expect(entries.map { $0[1][1].string } == ids.prefix(2).map(\.description))
            #expect(
                entries.allSatisfy { $0[1][2].string == "n" && $0[1][3].int == 6 && $0[1][4].string == "succeeded" })
        }
    }

    @Test func `a project without a store is unknown with the reason`() async throws {
        try await VerifierFixture.run { fixture in
            try await fixture.begin([fixture.ids.next()])
            fixture.time.advance(.seconds(400))
            let verdict = try await fixture.verifier(projects: []).verify(
                Rollout("r", project: "local"), patience: fixture.patience())
            #expect(verdict?.kind == .unknown && verdict?.reason?.contains("langfuse_keys") == true)
        }
    }

    /// What one has found, no other asks for.
    @Test func `a verifier goes on where a dead one stopped`() async throws {
        let calls = Counter()
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            _ = try await fixture.complete(InsertionID.samples(5000, at: fixture.time.now - 90_000, step: 10))
            store.fault.withLockedValue {
                $0 = { target in
                    if target.hasSuffix("/health") { return nil }
                    calls.add()
                    if calls.value == 4 { throw CancellationError() }
                    return nil
                }
            }
            let verdict = try await fixture.verifier().verify(
                Rollout("r", project: "local"), patience: .init(deadline: fixture.time.now, attempts: 1))
            #expect(verdict?.kind == .unknown && verdict?.traced == 3000)
            fixture.time.advance(.seconds(2))
            #expect(
                try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())?.kind
                    == .complete)
            // 3 pages and the one that broke; 3 for the rest, since their window is a second wider.
            #expect(calls.value == 7)
        }
    }

    @Test func `those who ask the same share the work`() async throws {
        let gate = TestSignal()
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            _ = try await fixture.complete(3)
            store.fault.withLockedValue {
                $0 = { target in
                    if !target.hasSuffix("/health") { await gate.wait() }
                    return nil
                }
            }
            let verifier = fixture.verifier()
            // Their own time must not run out while they listen.
            let patience = VerificationRunner.WaitPolicy(deadline: fixture.time.now + 50_000_000)
            fixture.time.onSleep.withLockedValue { $0 = { for await _ in AsyncStream<Void>.makeStream().stream {} } }
            try await withThrowingTaskGroup { group in
                for _ in 0..<20 {
                    group.addTask { try await verifier.verify(Rollout("r", project: "local"), patience: patience) }
                }
                try await eventually { verifier.listeners(to: Rollout("r", project: "local")) == 19 }
                gate.send()
                for try await verdict in group { #expect(verdict?.kind == .complete) }
            }
            #expect(store.asked == 1)
        }
    }

    @Test func `when the one who works leaves another takes over`() async throws {
        let (gate, working) = (TestSignal(), TestSignal())
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            _ = try await fixture.complete(3)
            store.hold(at: gate, telling: working)
            let verifier = fixture.verifier()
            let patience = VerificationRunner.WaitPolicy(deadline: fixture.time.now + 50_000_000)
            fixture.time.onSleep.withLockedValue { $0 = { for await _ in AsyncStream<Void>.makeStream().stream {} } }
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await withThrowingTaskGroup { first in
                        first.addTask {
                            _ = try? await verifier.verify(Rollout("r", project: "local"), patience: patience)
                        }
                        await working.wait()
                        try await eventually { verifier.listeners(to: Rollout("r", project: "local")) == 1 }
                        first.cancelAll()
                    }
                }
                await working.wait()
                store.fault.withLockedValue { $0 = nil }
                #expect(
                    try await verifier.verify(Rollout("r", project: "local"), patience: patience)?.kind == .complete)
                try await group.waitForAll()
            }
        }
    }

    /// Two processes: the second one hears from Redis what the first one finds.
    @Test func `two verifiers ask the store once`() async throws {
        let (gate, working, listening) = (TestSignal(), TestSignal(), TestSignal())
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            _ = try await fixture.complete(3)
            store.hold(at: gate, telling: working)
            fixture.time.onSleep.withLockedValue { $0 = { listening.send() } }
            let patience = VerificationRunner.WaitPolicy(deadline: .max)
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await fixture.verifier().verify(Rollout("r", project: "local"), patience: patience)
                }
                await working.wait()
                group.addTask {
                    try await fixture.verifier().verify(Rollout("r", project: "local"), patience: patience)
                }
                await listening.wait()
                gate.send()
                for try await verdict in group { #expect(verdict?.kind == .complete) }
            }
            #expect(store.asked == 1)
            #expect(
                try await fixture.send("EXISTS", Keys.verifying(of: Rollout("r", project: "local"))).int == 0,
                "nobody is at it any longer")
        }
    }

    /// Whoever only wants to know how things stand does not wait for the one who waits until they are well.
    @Test func `how things stand is told at once`() async throws {
        try await VerifierFixture.run { fixture in
            _ = try await fixture.complete(3)
            try await fixture.begin([fixture.ids.next()])
            let heard = NIOLockedValueBox<Verdict?>(nil)
            fixture.time.onSleep.withLockedValue {
                $0 = {
                    // The first one rests after a round.
                    guard heard.withLockedValue({ $0 }) == nil else { return }
                    fixture.time.onSleep.withLockedValue { $0 = { Issue.record("the second one waits") } }
                    let verdict = try await fixture.verifier().verify(
                        Rollout("r", project: "local"), patience: fixture.patience(attempts: 1))
                    heard.withLockedValue { $0 = verdict }
                    fixture.time.onSleep.withLockedValue { $0 = nil }
                }
            }
            _ = try await fixture.verifier().verify(
                Rollout("r", project: "local"), patience: fixture.patience(.seconds(20)))
            #expect(heard.withLockedValue { $0 }?.kind == .incomplete && heard.withLockedValue { $0 }?.traced == 3)
            #expect(fixture.store.asked == 1)
        }
    }

    @Test func `who gives up leaves nothing behind`() async throws {
        try await VerifierFixture.run { fixture in
            try await fixture.begin([fixture.ids.next()])
            fixture.time.onSleep.withLockedValue { $0 = { throw CancellationError() } }
            await #expect(throws: CancellationError.self) {
                try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())
            }
            #expect(
                try await fixture.send(
                    "EXISTS", Keys.verifying(of: Rollout("r", project: "local")),
                    Keys.verdict(of: Rollout("r", project: "local"))
                ).int == 0)
        }
    }

    /// One that was killed holds the others up for seconds only.
    @Test func `a lease ends by itself`() async throws {
        try await VerifierFixture.run { fixture in
            _ = try await fixture.complete(3)
            let dead = WorkLease(on: Rollout("r", project: "local"), redis: fixture.redis)
            #expect(try await dead.take())
            #expect(try await !WorkLease(on: Rollout("r", project: "local"), redis: fixture.redis).take())
            let left = try await fixture.send("PTTL", Keys.verifying(of: Rollout("r", project: "local"))).int ?? 0
            #expect((1...5000).contains(left))
            fixture.time.onSleep.withLockedValue {
                $0 = { _ = try await fixture.send("DEL", Keys.verifying(of: Rollout("r", project: "local"))) }
            }
            #expect(
                try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())?.kind
                    == .complete)
        }
    }
}
