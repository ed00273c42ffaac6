import TestSupport
import Testing

@testable import Common
@testable import Verifier

/// What a verifier decides, step by step, without any I/O.
@Suite struct ReconcilerTests {
    static let time: Timestamp = 1_763_812_345_000

    /// A reconciler that has read a set, at a time at which all of its completions have ended.
    static func reconciler(
        _ ids: [InsertionID], pending: [InsertionID]? = nil, identity: TraceIdentity = .traceID, attempts: Int? = nil,
        deadline: Timestamp? = nil,
        states: SpanState = .waiting
    ) -> (Reconciler, Timestamp) {
        let now = (ids.last?.time ?? time) + 400_000
        var reconciler = Reconciler(
            rollout: Rollout("r", project: "p"),
            rules: .init(
                identity: identity, attempts: attempts, deadline: deadline ?? now + 3_600_000))
        #expect(reconciler.next(now: now) == .readRollout)
        reconciler.read(RolloutReading(ids: ids, pending: pending ?? ids))
        while case .lookAtSpans(let ids) = reconciler.next(now: now) {
            reconciler.examined(ids.map { _ in states }, now: now)
        }
        return (reconciler, now)
    }

    static func page(_ ids: some Sequence<InsertionID>, next: TraceCursor? = nil) -> TracePage {
        TracePage(rows: ids.map { FetchedTrace(ids: [$0]) }, next: next)
    }

    @Test func `a few IDs are looked up`() throws {
        let ids = InsertionID.samples(3)
        var (reconciler, now) = Self.reconciler(ids)
        guard case .ask(let query, nil, _) = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        #expect(query.selection == .ids(ids))
        #expect(query.window == TimeWindow(start: Self.time - 1000, end: Self.time + 2 + 1001))
        #expect(reconciler.received(Self.page(ids.reversed())) == ids.reversed())
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(
            verdict
                == Verdict(
                    rollout: Rollout("r", project: "p"), kind: .complete, expected: 3, traced: 3, inFlight: 0,
                    failed: 0,
                    missing: [], checkedAt: now))
    }

    @Test(arguments: [(TraceIdentity.traceID, 150), (.tag, 100)])
    func `look ups are bounded`(_ identity: TraceIdentity, _ most: Int) throws {
        // Far apart in a large rollout, so that pages would cost more.
        let ids = InsertionID.samples(5000)
        let pending = ids.enumerated().filter { $0.offset % 10 == 0 }.map(\.element)
        var (reconciler, now) = Self.reconciler(ids, pending: pending, identity: identity)
        var sizes: [Int] = []
        while case .ask(let query, _, _) = reconciler.next(now: now), case .ids(let batch) = query.selection {
            sizes.append(batch.count)
            _ = reconciler.received(Self.page(batch))
        }
        #expect(sizes == Array(repeating: most, count: 500 / most) + (500 % most == 0 ? [] : [500 % most]))
    }

    /// A proxy's spans begin when it gets the call.
    @Test func `the window of a proxy's spans is wider`() throws {
        let ids = InsertionID.samples(3)
        var (reconciler, now) = Self.reconciler(ids, identity: .tag)
        guard case .ask(let query, nil, _) = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        #expect(query.window == TimeWindow(start: Self.time - 300_000, end: Self.time + 2 + 300_001))
    }

    @Test func `many IDs are listed and the listing ends when all were seen`() throws {
        let ids = InsertionID.samples(3000)
        var (reconciler, now) = Self.reconciler(ids)
        for page in 0..<3 {
            let cursor: TraceCursor? = page == 0 ? nil : .opaque("\(page)")
            guard case .ask(let query, cursor, 1000) = reconciler.next(now: now) else {
                throw Unexpected("page \(page) is not asked for")
            }
            #expect(query.selection == .rollout("r"))
            // There would be more pages.
            _ = reconciler.received(Self.page(ids[(page * 1000)..<(page * 1000 + 1000)], next: .opaque("\(page + 1)")))
        }
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(verdict.kind == .complete)
    }

    @Test func `what a listing missed is looked up by ID`() throws {
        let ids = InsertionID.samples(2000)
        var (reconciler, now) = Self.reconciler(ids)
        guard case .ask = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        _ = reconciler.received(Self.page(ids.dropFirst(2)))
        guard case .ask(let query, nil, _) = reconciler.next(now: now) else { throw Unexpected("nothing is looked up") }
        #expect(query.selection == .ids(Array(ids.prefix(2))))
    }

    @Test func `what is in flight is not asked for and not missing`() throws {
        let ids = InsertionID.samples(2)
        let now = Self.time + 1000
        var reconciler = Reconciler(
            rollout: Rollout("r", project: "p"), rules: .init(attempts: 1, deadline: .distantFuture))
        _ = reconciler.next(now: now)
        reconciler.read(RolloutReading(ids: ids, pending: ids, failed: 4))
        _ = reconciler.next(now: now)
        reconciler.examined([.absent, .absent], now: now)
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("something is asked") }
        #expect(
            verdict.kind == .incomplete && verdict.inFlight == 2 && verdict.missing.isEmpty && verdict.missingCount == 0
                && verdict.failed == 4)
    }

    /// Whether it runs or was forgotten, only the trace store can tell.
    @Test func `what may have been forgotten is asked for`() throws {
        let ids = InsertionID.samples(2)
        let now = Self.time + 1000
        var reconciler = Reconciler(
            rollout: Rollout("r", project: "p"), rules: .init(attempts: 1, deadline: .distantFuture))
        _ = reconciler.next(now: now)
        reconciler.read(RolloutReading(ids: ids, pending: ids))
        _ = reconciler.next(now: now)
        reconciler.examined([.perhapsForgotten, .perhapsForgotten], now: now)
        guard case .ask = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        _ = reconciler.received(Self.page(ids.prefix(1)))
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(verdict.traced == 1 && verdict.inFlight == 1 && verdict.missing.isEmpty)
    }

    /// A LiteLLM proxy's spans are not kept by the gateway, so asking is the only way to know.
    @Test func `of a proxy's calls all are asked for`() throws {
        let ids = InsertionID.samples(2)
        let now = Self.time + 1000
        var reconciler = Reconciler(
            rollout: Rollout("r", project: "p"), rules: .init(identity: .tag, attempts: 1, deadline: .distantFuture))
        _ = reconciler.next(now: now)
        reconciler.read(RolloutReading(ids: ids, pending: ids))
        _ = reconciler.next(now: now)
        reconciler.examined([.absent, .absent], now: now)
        guard case .ask = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        _ = reconciler.received(Self.page(ids.prefix(1)))
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(verdict.traced == 1 && verdict.inFlight == 1 && verdict.missing.isEmpty)
    }

    /// When the time of a request is over it is not in flight, whatever became of it.
    @Test(arguments: [(Int64(299_999), 1, 0), (300_000, 0, 1)])
    func `a request is in flight for its time alone`(_ age: Int64, _ inFlight: Int, _ missing: Int) throws {
        let id = InsertionID.sample(0)
        let now = Self.time + age
        var reconciler = Reconciler(
            rollout: Rollout("r", project: "p"), rules: .init(attempts: 1, deadline: .distantFuture))
        _ = reconciler.next(now: now)
        reconciler.read(RolloutReading(ids: [id], pending: [id]))
        _ = reconciler.next(now: now)
        reconciler.examined([.absent], now: now)
        if case .ask = reconciler.next(now: now) { _ = reconciler.received(Self.page([])) }
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(
            verdict.inFlight == inFlight && verdict.missingCount == missing
                && verdict.missing == (missing == 1 ? [id.description] : []))
    }

    @Test(arguments: [(14, 0), (15, 1)])
    func `a span that was accepted long ago is sent again`(_ seconds: Int, _ resent: Int) throws {
        let ids = InsertionID.samples(2)
        var (reconciler, now) = Self.reconciler(ids, states: .sent(ago: .seconds(seconds)))
        guard case .ask = reconciler.next(now: now) else { throw Unexpected("nothing is asked") }
        _ = reconciler.received(Self.page(ids.prefix(1)))
        let step = reconciler.next(now: now)
        #expect(step == (resent == 1 ? .resend([ids[1]]) : .wait(until: now + 2000)))
        reconciler.resent()
        #expect(reconciler.next(now: now) == .wait(until: now + 2000))
    }

    @Test func `only the pieces of a large number are sent again at once`() throws {
        let ids = InsertionID.samples(1200)
        var (reconciler, now) = Self.reconciler(ids, states: .sent(ago: .seconds(60)))
        while case .ask = reconciler.next(now: now) { _ = reconciler.received(Self.page([])) }
        var resent: [InsertionID] = []
        while case .resend(let some) = reconciler.next(now: now) {
            #expect(some.count <= 500)
            resent += some
            reconciler.resent()
        }
        #expect(resent == ids)
    }

    @Test func `a stranger in the set keeps it incomplete`() throws {
        var reconciler = Reconciler(
            rollout: Rollout("r", project: "p"), rules: .init(attempts: 1, deadline: .distantFuture))
        _ = reconciler.next(now: 0)
        reconciler.read(RolloutReading(ids: [], pending: [], strangers: ["who?"], strangerCount: 1))
        guard case .conclude(let verdict) = reconciler.next(now: 0) else { throw Unexpected("no verdict") }
        #expect(verdict.kind == .incomplete && verdict.expected == 1 && verdict.missing == ["who?"])
    }

    @Test func `a hundred missing IDs are named`() throws {
        let ids = InsertionID.samples(300)
        var (reconciler, now) = Self.reconciler(ids, attempts: 1)
        while case .ask = reconciler.next(now: now) { _ = reconciler.received(Self.page([])) }
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(verdict.missing == ids.prefix(100).map(\.description) && verdict.missingCount == 300)
    }

    @Test func `a changed set is read again and not for ever`() throws {
        var (reconciler, now) = Self.reconciler([])
        for _ in 1..<Reconciler.mostChanges {
            guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
            #expect(verdict.kind == .complete)
            reconciler.setChanged()
            #expect(reconciler.next(now: now) == .readRollout)
            reconciler.read(RolloutReading(ids: [], pending: []))
        }
        reconciler.setChanged()
        guard case .conclude(let verdict) = reconciler.next(now: now) else { throw Unexpected("no verdict") }
        #expect(verdict.kind == .unknown)
    }
}
