import TestSupport
import Testing

@testable import Common
@testable import Verifier

/// What is kept between two rounds, and what brings the next one forward.
@Suite struct ReconcilerPaceTests {
    private typealias Fixture = ReconcilerTests

    private let ids = InsertionID.samples(3)

    /// Goes on to the next wait, or to the verdict.
    private func round(
        _ reconciler: inout Reconciler, _ now: Timestamp, pending: Int = 3, found: [InsertionID] = []
    ) -> Reconciler.Step {
        while true {
            switch reconciler.next(now: now) {
            case .readRollout: reconciler.read(RolloutReading(ids: ids, pending: Array(ids.suffix(pending))))
            case .lookAtSpans(let some): reconciler.examined(some.map { _ in .waiting }, now: now)
            case .ask: _ = reconciler.received(Fixture.page(found))
            case .resend: reconciler.resent()
            case let step: return step
            }
        }
    }

    @Test func `between two rounds the verdict alone is kept`() {
        var (reconciler, now) = Fixture.reconciler(ids)
        #expect(round(&reconciler, now, found: [ids[0]]) == .wait(until: now + 2000))
        let before = reconciler.verdict(now: now)
        #expect(before.kind == .incomplete && before.traced == 1 && before.missing.count == 2)
        reconciler.park(now: now)
        #expect(
            reconciler.round.reading.ids.isEmpty && reconciler.round.pending.isEmpty && reconciler.round.askable.isEmpty
        )
        #expect(reconciler.verdict(now: now + 1000) == before, "as it was, and when it was")
        now += 2000
        guard case .conclude(let verdict) = round(&reconciler, now, pending: 1, found: [ids[2]]) else {
            Issue.record("nothing is found")
            return
        }
        #expect(verdict.kind == .complete && verdict.traced == 3 && verdict.checkedAt == now)
    }

    @Test func `what is known is the verdict where nothing more is waited for`() {
        var (reconciler, now) = Fixture.reconciler(ids)
        _ = round(&reconciler, now)
        let known = reconciler.verdict(now: now)
        var parked = reconciler
        reconciler.stopWaiting()
        #expect(reconciler.next(now: now) == .conclude(known))
        parked.park(now: now)
        parked.stopWaiting()
        #expect(parked.next(now: now + 9000) == .conclude(known))
    }

    /// In the middle of a round nothing can be said.
    @Test func `a round that is left in its middle is unknown`() {
        var (reconciler, now) = Fixture.reconciler(ids)
        guard case .ask = reconciler.next(now: now) else {
            Issue.record("nothing is asked")
            return
        }
        reconciler.failed(.unavailable("it is away"), now: now)
        guard case .wait = reconciler.next(now: now) else {
            Issue.record("no pause")
            return
        }
        reconciler.park(now: now)
        #expect(reconciler.round.pending.count == 3, "the round goes on after the pause")
        reconciler.stopWaiting()
        guard case .conclude(let verdict) = reconciler.next(now: now) else {
            Issue.record("it goes on")
            return
        }
        #expect(verdict.kind == .unknown && verdict.reason?.contains("0 of 3 traces were seen") == true)
    }

    /// A question that comes while another one rests is not told old news, and takes none of the other's attempts.
    @Test func `another question brings the next round forward`() {
        var (reconciler, now) = Fixture.reconciler(ids, attempts: 3)
        let start = now
        #expect(round(&reconciler, now) == .wait(until: start + 2000))
        now = start + 2000
        #expect(round(&reconciler, now) == .wait(until: start + 6000))
        reconciler.park(now: now)
        reconciler.lookAgain(parked: now)
        #expect(reconciler.next(now: now) == .wait(until: now + 1000), "a second after the last round, at the earliest")
        reconciler.lookAgain(parked: now)
        now += 1000
        #expect(round(&reconciler, now) == .wait(until: start + 6000), "the next one is when it was to be")
        now = start + 6000
        guard case .conclude = round(&reconciler, now) else {
            Issue.record("a fourth attempt")
            return
        }
    }
}
