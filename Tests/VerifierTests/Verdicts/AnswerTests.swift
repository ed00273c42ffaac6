import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Redis
@testable import Upstream
@testable import Verifier

/// What clients get for `/rollouts/{id}` and for questions that cannot be answered.
@Suite(.timeLimit(.minutes(5))) struct AnswerTests {
    @Test func `a rollout's verdict`() async throws {
        try await VerifierFixture.run { fixture in
            _ = try await fixture.complete(2, rollout: "a b")
            let answer = try await fixture.ask("/rollouts/a%20b")
            #expect(
                answer.status == 200 && answer.json?.text("verdict") == "complete"
                    && answer.json?.text("rollout_id") == "a b")
            #expect(answer.headers.first(named: "content-type") == "application/json")
            let tag = try #require(answer.headers.first(named: "etag"))
            let again = try await fixture.ask("/rollouts/a%20b", headers: [HeaderField("If-None-Match", tag)])
            #expect(again.status == 304 && again.text.isEmpty && again.headers.first(named: "etag") == tag)
        }
    }

    @Test(arguments: [
        ("/rollouts/none", nil, 404, "rollout_not_found"), ("/rollouts/a%2Fb", nil, 400, "invalid_path"),
        ("/rollouts/", nil, 400, "invalid_path"),
        ("/rollouts/r", "wait=soon", 400, "invalid_query"), ("/other", nil, 404, "not_found"),
        ("/traces", nil, 400, "missing_rollout_id"),
        ("/traces", "tags=rollout_id:none", 404, "rollout_not_found"),
        ("/traces/pointwise", "tags=rollout_id:none", 404, "rollout_not_found"),
        ("/traces", "tags=rollout_id:r&project_id=other", 400, "invalid_query"),
    ])
    func `what cannot be answered`(_ path: String, _ query: String?, _ status: Int, _ code: String) async throws {
        try await VerifierFixture.run { fixture in
            let answer = try await fixture.ask(path, query: query)
            #expect(answer.status == status && answer.json?.nested("error")?.text("code") == code, "\(answer.text)")
            #expect(answer.json?.text("detail") != nil)
        }
    }

    @Test func `a wait ends when it is complete or over`() async throws {
        try await VerifierFixture.run { fixture in
            let id = fixture.ids.next()
            try await fixture.begin([id])
            let start = fixture.time.now
            let late = try await fixture.ask("/rollouts/r", query: "wait=20")
            #expect(late.json?.text("verdict") == "incomplete" && fixture.time.now == start + 20_000)
            fixture.time.advance(.seconds(2))
            fixture.time.onSleep.withLockedValue {
                $0 = {
                    try await fixture.finish(id)
                    fixture.store.show([FakeSpan(id)])
                }
            }
            let answer = try await fixture.ask("/rollouts/r", query: "wait=20")
            #expect(answer.json?.text("verdict") == "complete" && fixture.time.now < start + 30_000)
        }
    }

    /// Who waits for a rollout may begin before its first completion does.
    @Test(arguments: [false, true]) func `a wait begins before the rollout is known`(wantsEvents: Bool) async throws {
        let headers = wantsEvents ? [HeaderField("Accept", "text/event-stream")] : []
        try await VerifierFixture.run { fixture in
            let start = fixture.time.now
            let sleeps = Counter()
            fixture.time.onSleep.withLockedValue {
                $0 = {
                    sleeps.add()
                    if sleeps.value == 5 { _ = try await fixture.complete(2) }
                }
            }
            let answer = try await fixture.ask("/rollouts/r", query: "wait=20", headers: headers)
            #expect(answer.status == 200 && answer.text.contains(#""verdict":"complete","#), "\(answer.text)")
            #expect(fixture.time.now < start + 10_000)
        }
    }

    @Test(arguments: [(nil, 0), ("wait=0", 0), ("wait=3", 3000)] as [(String?, Int64)])
    func `a rollout that stays unknown is said to be so when the wait is over`(
        query: String?, waited: Int64
    ) async throws {
        try await VerifierFixture.run { fixture in
            let start = fixture.time.now
            let answer = try await fixture.ask("/rollouts/none", query: query)
            #expect(answer.status == 404 && answer.json?.nested("error")?.text("code") == "rollout_not_found")
            #expect(fixture.time.now == start + waited)
        }
    }

    /// A proxy writes the traces: that a call has ended is known all the same.
    @Test func `a call that a proxy traces is told as ended`() async throws {
        try await VerifierFixture.run(identity: .tag) { fixture in
            let (ended, running) = (fixture.ids.next(), fixture.ids.next())
            try await fixture.begin([ended, running])
            try await fixture.send("SADD", Keys.ended(of: Rollout("r", project: "local")), ended.description)
            let answer = try await fixture.ask("/rollouts/r")
            #expect(answer.json?.count("in_flight") == 1, "\(answer.text)")
            #expect(answer.json?.texts("missing") == [ended.description])
        }
    }

    /// A machine that resumes, or is told the right time, puts its clock by hours. The wait is as long as it was asked
    /// for, and an old verdict is not taken for a new one.
    @Test(arguments: [10_800, -10_800])
    func `a step of the clock neither ends nor prolongs a wait`(_ seconds: Int) async throws {
        try await VerifierFixture.run { fixture in
            try await fixture.begin([fixture.ids.next()])
            let start = fixture.time.now
            let isPut = NIOLockedValueBox(false)
            fixture.time.onSleep.withLockedValue {
                $0 = {
                    let isFirst = isPut.withLockedValue { isPut in
                        defer { isPut = true }
                        return !isPut
                    }
                    if isFirst { fixture.time.step(.seconds(seconds)) }
                }
            }
            for round: Int64 in 1...2 {
                let answer = try await fixture.ask("/rollouts/r", query: "wait=20")
                #expect(answer.json?.text("verdict") == "incomplete")
                #expect(fixture.time.now == start + round * 20_000)
            }
        }
    }

    /// A moment's verdict from before the clock was put back would hold for hours.
    @Test func `a verdict of the future does not hold`() async throws {
        try await VerifierFixture.run { fixture in
            let id = fixture.ids.next()
            try await fixture.begin([id])
            #expect(try await fixture.ask("/rollouts/r").json?.text("verdict") == "incomplete")
            fixture.time.step(.seconds(-10_800))
            try await fixture.finish(id)
            fixture.store.show([FakeSpan(id)])
            #expect(try await fixture.ask("/rollouts/r").json?.text("verdict") == "complete")
        }
    }

    @Test func `events tell of the progress`() async throws {
        try await VerifierFixture.run { fixture in
            let ids = try await fixture.complete(2)
            let flying = fixture.ids.next()
            try await fixture.begin([flying])
            fixture.time.onSleep.withLockedValue {
                $0 = {
                    try await fixture.finish(flying)
                    fixture.store.show([FakeSpan(flying)])
                }
            }
            let answer = try await fixture.ask("/rollouts/r", headers: [HeaderField("Accept", "text/event-stream")])
            #expect(answer.headers.first(named: "content-type") == "text/event-stream")
            let events = answer.text.components("\n\n")
            #expect(
                events.first?.hasPrefix("event: progress\ndata: {") == true
                    && events.last?.hasPrefix("event: verdict\ndata: {") == true)
            #expect(
                events.last?.contains(#""verdict":"complete""#) == true
                    && events.dropLast().allSatisfy { $0.contains(#""verdict":"incomplete""#) })
            #expect(events.count >= 2 && ids.count == 2)
        }
    }

    @Test func `a store that is away is a 502`() async throws {
        let store = FakeLangfuse { _ in throw UpstreamError(.connect, "no route", requestMayHaveBeenSent: false) }
        try await VerifierFixture.run(store: store) { fixture in
            _ = try await fixture.complete(2)
            let traces = try await fixture.ask("/traces", query: "tags=rollout_id:r&max_retries=1")
            #expect(traces.status == 502 && traces.json?.nested("error")?.text("code") == "trace_store_unavailable")
            #expect(traces.headers.first(named: "retry-after") != nil && !traces.text.contains("canary"))
            #expect(traces.headers.first(named: "x-should-retry") == "true")
            #expect(
                try await fixture.ask("/rollouts/unknown").headers.first(named: "x-should-retry") == "false",
                "of no use while nothing changes")
            let verdict = try await fixture.ask("/rollouts/r")
            #expect(
                verdict.status == 200 && verdict.json?.text("verdict") == "unknown"
                    && verdict.json?.text("reason") != nil)
        }
    }

    @Test func `a Redis that is away is a 503`() async throws {
        let redis = RedisClient(RedisEndpoint(.unix(path: "/nonexistent/redis.sock")), logger: .silent)
        let runner = VerificationRunner(
            redis: redis, upstream: FakeLangfuse(), options: .init(keySpace: .local),
            destinations: TraceDestinations([:], at: TraceDestination.sample.host), clock: ManualTime().clock,
            logger: .silent)
        let sink = CollectingSink()
        try await runner.answer(Question(project: "local", path: "/rollouts/r", deadline: .max / 2), to: sink)
        #expect(sink.status == 503 && sink.headers.first(named: "retry-after") == "1")
    }

    /// A verifier whose client has left does no more.
    @Test func `nothing is done where none waits`() async throws {
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            _ = try await fixture.complete(600)
            _ = try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())
            let asked = store.asked
            let question = Question(
                project: "local", path: "/traces", query: "tags=rollout_id:r&limit=600",
                deadline: fixture.time.now + 300_000)
            let sink = CollectingSink(most: 1)
            await #expect(throws: CollectingSink.Gone.self) { try await fixture.verifier().answer(question, to: sink) }
            #expect(store.asked <= asked + 6)
        }
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [String] { split(separator: separator).map(String.init) }
}
