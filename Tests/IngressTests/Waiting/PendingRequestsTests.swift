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
        let request = pending.register(ids.next(), deadline: .past)
        async let frame = request.next()
        for _ in 0..<100 { await Task.yield() }
        pending.receive([1], for: request.id)
        #expect(try await frame == .sealed([1]))
    }

    @Test func `what comes for no request is dropped`() {
        pending.receive([1], for: ids.next())
        #expect(pending.count == 0)
    }

    @Test func `after dismissal nothing comes any more`() async {
        let request = pending.register(ids.next(), deadline: .past)
        pending.dismiss(request.id)
        pending.receive([1], for: request.id)
        #expect(!pending.abandon(request.id, as: .disconnected), "an answer that is complete cannot be abandoned")
        request.end(.stopped)
        await #expect(throws: PendingRequest.Ending.stopped) { try await request.next() }
    }

    @Test(arguments: [PendingRequest.Ending.disconnected, .deadline, .stopped]) func `abandoning ends the wait once`(
        ending: PendingRequest.Ending
    ) async throws {
        let request = pending.register(ids.next(), deadline: .past)
        async let waiting = #expect(throws: ending) { try await request.next() }
        for _ in 0..<100 { await Task.yield() }
        #expect(pending.abandon(request.id, as: ending))
        #expect(!pending.abandon(request.id, as: .stopped))
        _ = await waiting
        #expect(pending.count == 0)
    }

    /// What came before the end is not lost by it.
    @Test func `what has come can be taken after the end`() async throws {
        let request = pending.register(ids.next(), deadline: .past)
        pending.receive([1], for: request.id)
        pending.abandon(request.id, as: .deadline)
        #expect(try await request.next() == .sealed([1]))
        await #expect(throws: PendingRequest.Ending.deadline) { try await request.next() }
    }

    private func request(_ milliseconds: Int, from start: ContinuousClock.Instant) -> PendingRequest {
        pending.register(ids.next(), deadline: Deadline(in: .milliseconds(milliseconds), now: start))
    }

    @Test func `only the overdue are abandoned`() async throws {
        let start = ContinuousClock.now
        let (early, exact, late) = (request(10, from: start), request(20, from: start), request(21, from: start))
        let now = start + .milliseconds(20)
        #expect(Set(pending.abandonOverdue(at: now).map(\.id)) == [early.id, exact.id])
        #expect(pending.abandonOverdue(at: now).isEmpty)
        #expect(pending.ids == [late.id])
        for request in [early, exact] {
            await #expect(throws: PendingRequest.Ending.deadline) { try await request.next() }
        }
    }
}
