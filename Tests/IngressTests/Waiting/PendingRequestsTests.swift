import Common
import Testing

@testable import Ingress

/// Requests that wait, and how their waits end.
@Suite(.timeLimit(.minutes(5))) struct PendingRequestsTests {
    private let ids = InsertionIDGenerator()
    private let pending = PendingRequests()

    @Test func `frames come in their order and to their request`() async throws {
        let first = pending.register(ids.next(), deadline: .past)
        let second = pending.register(ids.next(), deadline: .past)
        #expect(pending.count == 2 && Set(pending.ids) == [first.id, second.id])
        for number in 1...3 { pending.receive([UInt8(number)], for: first.id) }
        pending.receive([9], for: second.id)
        for number: UInt8 in 1...3 { #expect(try await first.next() == .sealed([number])) }
        #expect(try await second.next() == .sealed([9]))
    }

    @Test func `a frame wakes who waits`() async throws {
        let waiter = pending.register(ids.next(), deadline: .past)
        async let frame = waiter.next()
        for _ in 0..<100 { await Task.yield() }
        pending.receive([1], for: waiter.id)
        #expect(try await frame == .sealed([1]))
    }

    @Test func `what comes for no waiter is dropped`() {
        pending.receive([1], for: ids.next())
        #expect(pending.count == 0)
    }

    @Test func `after dismissal nothing comes any more`() async {
        let waiter = pending.register(ids.next(), deadline: .past)
        pending.dismiss(waiter.id)
        pending.receive([1], for: waiter.id)
        #expect(!pending.abandon(waiter.id, as: .disconnected), "an answer that is complete cannot be abandoned")
        waiter.end(.stopped)
        await #expect(throws: Waiter.Ending.stopped) { try await waiter.next() }
    }

    @Test(arguments: [Waiter.Ending.disconnected, .deadline, .stopped]) func `abandoning ends the wait once`(
        ending: Waiter.Ending
    ) async throws {
        let waiter = pending.register(ids.next(), deadline: .past)
        async let waiting = #expect(throws: ending) { try await waiter.next() }
        for _ in 0..<100 { await Task.yield() }
        #expect(pending.abandon(waiter.id, as: ending))
        #expect(!pending.abandon(waiter.id, as: .stopped))
        _ = await waiting
        #expect(pending.count == 0)
    }

    /// What came before the end is not lost by it.
    @Test func `what has come can be taken after the end`() async throws {
        let waiter = pending.register(ids.next(), deadline: .past)
        pending.receive([1], for: waiter.id)
        pending.abandon(waiter.id, as: .deadline)
        #expect(try await waiter.next() == .sealed([1]))
        await #expect(throws: Waiter.Ending.deadline) { try await waiter.next() }
    }

    private func waiter(_ milliseconds: Int, from start: ContinuousClock.Instant) -> Waiter {
        pending.register(ids.next(), deadline: Deadline(in: .milliseconds(milliseconds), now: start))
    }

    @Test func `only the overdue are abandoned`() async throws {
        let start = ContinuousClock.now
        let (early, exact, late) = (waiter(10, from: start), waiter(20, from: start), waiter(21, from: start))
        let now = start + .milliseconds(20)
        #expect(Set(pending.abandonOverdue(at: now).map(\.id)) == [early.id, exact.id])
        #expect(pending.abandonOverdue(at: now).isEmpty)
        #expect(pending.ids == [late.id])
        for waiter in [early, exact] { await #expect(throws: Waiter.Ending.deadline) { try await waiter.next() } }
    }
}
