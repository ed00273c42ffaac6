import TestSupport
import Testing

@testable import Common
@testable import Verifier

/// When a verifier waits, and what it does about a trace store in trouble.
@Suite struct ReconcilerWaitTests {
    private typealias Fixture = ReconcilerTests

    /// Goes through a round in which nothing is found, and returns the time at which the next one may begin.
    private func round(_ reconciler: inout Reconciler, at now: Timestamp, ids: [InsertionID]) -> Reconciler.Step {
        while true {
            switch reconciler.next(now: now) {
            case .readRollout: reconciler.read(RolloutReading(ids: ids, pending: ids))
            case .lookAtSpans(let some): reconciler.examined(some.map { _ in .waiting }, now: now)
            case .ask: _ = reconciler.received(Fixture.page([]))
            case .resend: reconciler.resent()
            case let step: return step
            }
        }
    }

    @Test func `rounds are further and further apart until something moves`() throws {
        let ids = InsertionID.samples(3)
        var (reconciler, now) = Fixture.reconciler(ids)
        for pause: Int64 in [2, 4, 8, 16, 30, 30] {
            #expect(round(&reconciler, at: now, ids: ids) == .wait(until: now + pause * 1000))
            now += pause * 1000
        }
        // One fewer is missing.
        #expect(round(&reconciler, at: now, ids: Array(ids.dropFirst())) == .wait(until: now + 2000))
    }

    @Test func `the last round is at the deadline`() throws {
        let ids = InsertionID.samples(1)
        let start = Fixture.time + 400_000
        var (reconciler, now) = Fixture.reconciler(ids, deadline: start + 5000)
        #expect(round(&reconciler, at: now, ids: ids) == .wait(until: start + 2000))
        now = start + 2000
        #expect(round(&reconciler, at: now, ids: ids) == .wait(until: start + 5000))
        now = start + 5000
        guard case .conclude(let verdict) = round(&reconciler, at: now, ids: ids) else {
            throw Unexpected("it goes on")
        }
        #expect(verdict.kind == .incomplete)
    }

    /// A store that needs a while is asked so early that its answer is there in time, and no more if there is no time.
    @Test func `the last round ends at the deadline`() throws {
        let ids = InsertionID.samples(1)
        let start = Fixture.time + 400_000
        var (reconciler, now) = Fixture.reconciler(ids, deadline: start + 8000)
        _ = reconciler.next(now: now)
        reconciler.failed(.unavailable("it is away"), now: now)
        now = start + 2000
        // Two seconds for the first round.
        #expect(round(&reconciler, at: now, ids: ids) == .wait(until: start + 4000))
        guard case .readRollout = reconciler.next(now: start + 4000) else { throw Unexpected("no second round") }
        reconciler.read(RolloutReading(ids: ids, pending: ids))
        guard case .lookAtSpans = reconciler.next(now: start + 4000) else { throw Unexpected("no spans") }
        reconciler.examined([.absent], now: start + 4000)
        guard case .ask = reconciler.next(now: start + 4000) else { throw Unexpected("nothing is asked") }
        _ = reconciler.received(Fixture.page([]))
        guard case .conclude(let verdict) = reconciler.next(now: start + 6500) else {
            throw Unexpected("a third round")
        }
        #expect(verdict.kind == .incomplete)
    }

    /// Cursors that lead in a circle, and pages that go on for ever, are asked for again later and not at once.
    @Test(arguments: [true, false]) func `pages that do not end are left`(isCircle: Bool) throws {
        var (reconciler, now) = Fixture.reconciler(InsertionID.samples(3), deadline: Fixture.time + 400_002 + 60_000)
        for pause: Int64 in [2000, 4000] {
            var calls = 0
            asking: while calls < 1000 {
                switch reconciler.next(now: now) {
                case .ask:
                    calls += 1
                    let next = TraceCursor.opaque(isCircle ? "\(calls % 3)" : "\(calls)")
                    _ = reconciler.received(Fixture.page([], next: next))
                case .wait(let until):
                    #expect(until == now + pause)
                    now = until
                    break asking
                default: throw Unexpected("another step")
                }
            }
            #expect(calls == (isCircle ? 4 : PageWalk.mostIdlePages))
        }
    }

    /// A slow store with many pages: in time there is an answer, which says of no id that it is missing.
    @Test(arguments: [3000, 200]) func `a round that takes too long is left`(count: Int) throws {
        let ids = InsertionID.samples(count, step: 100)
        var (reconciler, now) = Fixture.reconciler(ids, deadline: Fixture.time + 100 * Int64(count - 1) + 401_000)
        guard case .ask = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        _ = reconciler.received(Fixture.page(ids.suffix(100), next: .opaque("more")))
        now = now + (.seconds(1) + Reconciler.overtime)
        guard case .ask = reconciler.next(now: now - 200) else { throw Unexpected("it is left too early") }
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("it goes on") }
        #expect(
            verdict.kind == .unknown && verdict.missing.isEmpty && verdict.expected == count && verdict.traced == 100)
        #expect(verdict.reason?.contains("100 of \(count) traces were seen") == true)
    }

    @Test func `attempts are counted`() throws {
        let ids = InsertionID.samples(1)
        var (reconciler, now) = Fixture.reconciler(ids, attempts: 2)
        guard case .wait(let until) = round(&reconciler, at: now, ids: ids) else {
            throw Unexpected("no second attempt")
        }
        guard case .conclude = round(&reconciler, at: until, ids: ids) else { throw Unexpected("a third attempt") }
        now = until
    }

    @Test func `a question that is too large is cut and nothing is left out`() throws {
        let ids = InsertionID.samples(4000, step: 100)
        var (reconciler, now) = Fixture.reconciler(ids)
        guard case .ask(let whole, nil, _) = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        var covered: [TimeWindow] = []
        while case .ask(let query, _, _) = reconciler.next(now: now), query.selection == .rollout("r") {
            if query.window.width > whole.window.width / 3 {
                reconciler.failed(.questionTooLarge, now: now)
            } else {
                covered.append(query.window)
                _ = reconciler.received(Fixture.page([]))
            }
        }
        // Newest first, without a gap.
        #expect(
            covered.count == 4 && covered.first?.end == whole.window.end && covered.last?.start == whole.window.start)
        for (later, earlier) in zip(covered, covered.dropFirst()) { #expect(earlier.end == later.start) }
    }

    @Test func `a look up that is too large is halved`() throws {
        let ids = InsertionID.samples(140)
        var (reconciler, now) = Fixture.reconciler(ids)
        var sizes: [Int] = []
        while case .ask(let query, _, _) = reconciler.next(now: now), case .ids(let batch) = query.selection {
            sizes.append(batch.count)
            if batch.count > 70 {
                reconciler.failed(.questionTooLarge, now: now)
            } else {
                _ = reconciler.received(Fixture.page([]))
            }
        }
        #expect(sizes == [140, 75, 37, 37, 37, 29])
    }

    @Test func `an answer that is too large is asked for in fewer rows`() throws {
        var (reconciler, now) = Fixture.reconciler(InsertionID.samples(3))
        var limits: [Int] = []
        while case .ask(_, _, let limit) = reconciler.next(now: now), limit > 1 {
            limits.append(limit)
            reconciler.failed(.tooLarge, now: now)
        }
        #expect(limits == [1000, 500, 250, 125, 62, 31, 15, 7, 3])
    }

    @Test func `the rate limit is waited for unless that is too long`() throws {
        var (reconciler, now) = Fixture.reconciler(InsertionID.samples(3), deadline: Fixture.time + 400_002 + 60_000)
        guard case .ask(let query, _, _) = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        reconciler.failed(.rateLimited(retryAfter: .seconds(17)), now: now)
        #expect(reconciler.next(now: now + 16_999) == .wait(until: now + 17_000))
        #expect(reconciler.next(now: now + 17_000) == .ask(query, after: nil, limit: 1000))
        reconciler.failed(.rateLimited(retryAfter: .seconds(61)), now: now + 17_000)
        guard case .conclude(let verdict) = reconciler.next(now: now + 17_000) else { throw Unexpected("no verdict") }
        #expect(verdict.kind == .unknown && verdict.reason?.contains("61 s") == true)
    }

    @Test func `a store in trouble is asked again later and later`() throws {
        let start = Fixture.time + 400_000
        var (reconciler, now) = Fixture.reconciler(InsertionID.samples(1), deadline: start + 20_000)
        for (pause, end): (Int64, Int64) in [(2000, 2000), (4000, 6000), (8000, 14_000), (6000, 20_000)] {
            guard case .ask = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
            reconciler.failed(.unavailable("it is away"), now: now)
            #expect(reconciler.next(now: now) == .wait(until: now + pause))
            now = start + end
        }
        reconciler.failed(.unavailable("it is away"), now: now)
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(verdict.kind == .unknown && verdict.reason == "it is away" && verdict.missing.isEmpty)
    }

    @Test func `what no wait can repair ends it`() throws {
        var (reconciler, now) = Fixture.reconciler(InsertionID.samples(1))
        _ = reconciler.next(now: now)
        reconciler.failed(.refused("keys"), now: now)
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(verdict.kind == .unknown && verdict.reason == "keys")
    }

    /// Numbered pages of another size are other pages.
    @Test func `a numbered page is not asked for in another size`() throws {
        var (reconciler, now) = Fixture.reconciler(InsertionID.samples(3000))
        for (cursor, kept): (TraceCursor, TraceCursor?) in [(.page(2, rows: 100), nil), (.opaque("x"), .opaque("x"))] {
            _ = reconciler.next(now: now)
            _ = reconciler.received(Fixture.page([], next: cursor))
            reconciler.failed(.tooLarge, now: now)
            guard case .ask(_, kept, _) = reconciler.next(now: now) else { throw Unexpected("another cursor") }
        }
    }

    @Test func `a lost cursor begins the window anew`() throws {
        var (reconciler, now) = Fixture.reconciler(InsertionID.samples(3000))
        guard case .ask(let query, nil, _) = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        _ = reconciler.received(Fixture.page([], next: .opaque("x")))
        #expect(reconciler.next(now: now) == .ask(query, after: .opaque("x"), limit: 1000))
        reconciler.failed(.cursorLost, now: now)
        #expect(reconciler.next(now: now) == .ask(query, after: nil, limit: 1000))
    }
}
