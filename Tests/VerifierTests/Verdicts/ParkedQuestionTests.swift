import NIOConcurrencyHelpers
import Queue
import TestSupport
import Testing
import Upstream

@testable import Common
@testable import Verifier

/// Questions that wait hold up no others, and get what is known where too many wait.
@Suite(.timeLimit(.minutes(5))) struct ParkedQuestionTests {
    private func question(
        _ path: String, query: String? = nil, events: Bool = false, age: Int64 = 0, _ fixture: VerifierFixture
    ) -> Question {
        let now = fixture.time.now
        return Question(
            project: "local", path: path, query: query,
            headers: events ? [HeaderField("Accept", "text/event-stream")] : [], deadline: now + 300_000,
            askedAt: now - age)
    }

    /// Runs `body` while a question waits for a rollout that runs. `body` gets what has the question's sleep end.
    private func resting(
        _ rollout: String, at verifier: VerificationRunner, in fixture: VerifierFixture, for patience: Duration,
        body: () async throws -> Void
    ) async throws {
        let resting = TestSignal()
        try await fixture.begin([fixture.ids.next()], rollout: rollout)
        fixture.time.stop(telling: resting)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let policy = fixture.patience(patience)
            group.addTask { _ = try? await verifier.verify(Rollout(rollout, project: "local"), patience: policy) }
            await resting.wait()
            try await body()
            group.cancelAll()
        }
        fixture.time.onSleep.withLockedValue { $0 = nil }
    }

    @Test func `a question that rests leaves its permit`() async throws {
        try await VerifierFixture.run { fixture in
            let verifier = fixture.verifier(capacity: VerifierCapacity(concurrency: 1, waiters: 8))
            try await fixture.complete(2, rollout: "other")
            try await resting("r", at: verifier, in: fixture, for: .seconds(60)) {
                let other = try await verifier.verify(
                    Rollout("other", project: "local"), patience: fixture.patience(attempts: 1))
                #expect(other?.kind == .complete)
                let traces = CollectingSink()
                try await verifier.answer(question("/traces", query: "tags=rollout_id:other", fixture), to: traces)
                #expect(traces.status == 200)
            }
        }
    }

    /// One of `/traces` that waits for its next round is not another.
    @Test func `a question for traces rests without a permit too`() async throws {
        try await VerifierFixture.run { fixture in
            let resting = TestSignal()
            let capacity = VerifierCapacity(concurrency: 1, waiters: 8)
            let verifier = fixture.verifier(capacity: capacity)
            try await fixture.complete(2, rollout: "other")
            try await fixture.begin([fixture.ids.next()])
            fixture.time.stop(telling: resting)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let waiting = question("/traces", query: "tags=rollout_id:r", fixture)
                group.addTask { try? await verifier.answer(waiting, to: CollectingSink()) }
                await resting.wait()
                #expect(capacity.waiting == 1)
                let other = try await verifier.verify(
                    Rollout("other", project: "local"), patience: fixture.patience(attempts: 1))
                #expect(other?.kind == .complete)
                group.cancelAll()
            }
            #expect(capacity.waiting == 0)
        }
    }

    /// One for a rollout that may yet begin waits as others do, and counts as one of them.
    @Test func `a question for what is not known yet has a place`() async throws {
        try await VerifierFixture.run { fixture in
            let resting = TestSignal()
            let capacity = VerifierCapacity(concurrency: 1, waiters: 2)
            let verifier = fixture.verifier(capacity: capacity)
            fixture.time.stop(telling: resting)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let waiting = question("/rollouts/later", query: "wait=60", fixture)
                group.addTask { try? await verifier.answer(waiting, to: CollectingSink()) }
                await resting.wait()
                #expect(capacity.waiting == 1)
                let further = CollectingSink()
                try await verifier.answer(question("/rollouts/another", query: "wait=60", fixture), to: further)
                #expect(further.status == 503 && further.json?.nested("error")?.text("code") == "verifier_busy")
                let other = CollectingSink()
                try await verifier.answer(question("/rollouts/another", fixture), to: other)
                #expect(other.status == 404, "one that does not wait is answered")
                group.cancelAll()
            }
            #expect(capacity.waiting == 0)
        }
    }

    @Test func `where too many wait a question gets what is known`() async throws {
        try await VerifierFixture.run { fixture in
            let verifier = fixture.verifier(capacity: VerifierCapacity(concurrency: 4, waiters: 1))
            let flying = fixture.ids.next()
            try await fixture.begin([flying], rollout: "second")
            try await resting("r", at: verifier, in: fixture, for: .seconds(60)) {
                // One that waited would not come back.
                for (path, query) in [("/rollouts/second", "wait=20"), ("/rollouts/r", "wait=20")] {
                    let sink = CollectingSink()
                    try await verifier.answer(question(path, query: query, fixture), to: sink)
                    #expect(sink.status == 200 && sink.json?.text("verdict") == "incomplete", "\(sink.text)")
                }
                let traces = CollectingSink()
                try await verifier.answer(question("/traces", query: "tags=rollout_id:second", fixture), to: traces)
                #expect(traces.status == 404 && traces.json?.nested("error")?.text("code") == "rollout_incomplete")
            }
        }
    }

    /// Neither a permit in time nor a place to wait for it.
    @Test(arguments: [1, 8]) func `a verifier that is busy says so`(waiters: Int) async throws {
        try await VerifierFixture.run { fixture in
            let capacity = VerifierCapacity(concurrency: 1, waiters: waiters)
            let (working, waiting) = (capacity.roundSlot(for: "slow"), capacity.roundSlot(for: "slow"))
            #expect(await working.take(within: .zero, by: fixture.time.clock) && waiting.park())
            try await fixture.complete(2)
            for (path, query) in [("/rollouts/r", "wait=20"), ("/rollouts/r", nil), ("/traces", "tags=rollout_id:r")] {
                let sink = CollectingSink()
                try await fixture.verifier(capacity: capacity).answer(question(path, query: query, fixture), to: sink)
                #expect(sink.status == 503 && sink.json?.nested("error")?.text("code") == "verifier_busy")
                #expect(sink.headers.first(named: "retry-after") == "5")
            }
            #expect(fixture.time.sleeps.isEmpty == (waiters == 1))
            working.leave()
            let sink = CollectingSink()
            try await fixture.verifier(capacity: capacity).answer(question("/rollouts/r", fixture), to: sink)
            #expect(sink.json?.text("verdict") == "complete")
        }
    }

    /// It looks as soon as another one asks, and both hear the news.
    @Test(arguments: [1, nil]) func `a question that rests is woken by another`(attempts: Int?) async throws {
        try await VerifierFixture.run { fixture in
            let verifier = fixture.verifier()
            let (id, resting) = (fixture.ids.next(), TestSignal())
            try await fixture.begin([id])
            fixture.time.stop(telling: resting)
            // Time passes with each sleep that begins.
            let policy = VerificationRunner.WaitPolicy(deadline: fixture.time.now + 50_000_000)
            try await withThrowingTaskGroup(of: Verdict?.self) { group in
                group.addTask { try await verifier.verify(Rollout("r", project: "local"), patience: policy) }
                await resting.wait()
                try await fixture.finish(id)
                fixture.store.show([FakeSpan(id)])
                var second = VerificationRunner.WaitPolicy(deadline: fixture.time.now + 40_000_000)
                second.attempts = attempts
                let verdict = try await verifier.verify(Rollout("r", project: "local"), patience: second)
                #expect(verdict?.kind == .complete)
                #expect(try await group.next()??.kind == .complete)
            }
        }
    }

    /// The same by way of Redis, where another verifier is asked.
    @Test func `a question that rests is woken by one at another verifier`() async throws {
        try await VerifierFixture.run { fixture in
            let (id, resting) = (fixture.ids.next(), TestSignal())
            try await fixture.begin([id])
            fixture.time.stop(telling: resting)
            let policy = VerificationRunner.WaitPolicy(deadline: fixture.time.now + 50_000_000)
            try await withThrowingTaskGroup(of: Verdict?.self) { group in
                group.addTask { try await fixture.verifier().verify(Rollout("r", project: "local"), patience: policy) }
                await resting.wait()
                try await fixture.finish(id)
                fixture.store.show([FakeSpan(id)])
                group.addTask { try await fixture.verifier().verify(Rollout("r", project: "local"), patience: policy) }
                // The second one's own wait does not end in this test.
                #expect(try await group.next()??.kind == .complete)
                group.cancelAll()
                while case .some = await group.nextResult() {}
            }
        }
    }

    /// The reader of an answer with traces, or of events, that takes nothing: others hear what they ask.
    @Test(arguments: [true, false]) func `a reader that takes nothing holds up no other`(isOfEvents: Bool) async throws
    {
        try await VerifierFixture.run { fixture in
            let capacity = VerifierCapacity(concurrency: 1, waiters: 8)
            let verifier = fixture.verifier(capacity: capacity)
            let (stuck, flying) = (StuckSink(), fixture.ids.next())
            try await fixture.complete(2, rollout: "other")
            try await fixture.complete(2)
            if isOfEvents { try await fixture.begin([flying]) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                let first =
                    isOfEvents
                    ? question("/rollouts/r", events: true, fixture)
                    : question("/traces", query: "tags=rollout_id:r", fixture)
                let resting = TestSignal()
                if isOfEvents { fixture.time.stop(telling: resting) }
                group.addTask { try? await verifier.answer(first, to: stuck) }
                await stuck.writing.wait()
                if isOfEvents {
                    await resting.wait()
                    try await fixture.finish(flying)
                    fixture.store.show([FakeSpan(flying)])
                }
                for rollout in ["other", "r"] {
                    let sink = CollectingSink()
                    try await verifier.answer(question("/rollouts/\(rollout)", fixture), to: sink)
                    #expect(sink.json?.text("verdict") == "complete", "\(rollout): \(sink.text)")
                }
                group.cancelAll()
            }
        }
    }

    /// The wait counts from the asking, even where a verifier takes the question over from one that died.
    @Test func `the wait began when the question came`() async throws {
        try await VerifierFixture.run { fixture in
            try await fixture.begin([fixture.ids.next()])
            for (age, rest) in [(15_000, 5000), (19_999, 1), (20_000, 0), (90_000, 0)] as [(Int64, Int64)] {
                fixture.time.advance(.seconds(2))
                let start = fixture.time.now
                let sink = CollectingSink()
                let late = question("/rollouts/r", query: "wait=20", age: age, fixture)
                try await fixture.verifier().answer(late, to: sink)
                #expect(sink.json?.text("verdict") == "incomplete" && fixture.time.now == start + rest, "\(age)")
            }
        }
    }
}

/// A reader that takes nothing.
private final class StuckSink: ResponseSink {
    let writing = TestSignal()

    func begin(_ head: UpstreamHead) async throws {}

    func write(_ bytes: [UInt8]) async throws {
        writing.send()
        for await _ in AsyncStream<Void>.makeStream().stream {}
        try Task.checkCancellation()
    }
}
