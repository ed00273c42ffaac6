import Common
import Testing

@testable import Ingress

/// Who is handed what of an answer that is kept, and what is read next.
@Suite(.timeLimit(.minutes(5))) struct TailedResponsesTests {
    private let ids = InsertionIDGenerator()
    private let budget = TailedResponses.ReadBudget()

    private func request(_ id: InsertionID, deadline: Deadline = .distantFuture, window: Int = .max) -> PendingRequest {
        PendingRequest(id: id, deadline: deadline, window: window)
    }

    /// Entries whose frames are four bytes, each the entry's number.
    private func entries(_ numbers: ClosedRange<UInt64>) -> [TailedResponses.Entry] {
        numbers.map {
            TailedResponses.Entry(
                position: StreamPosition(milliseconds: $0, number: 0), frame: [UInt8](repeating: UInt8($0), count: 4))
        }
    }

    private func place(_ number: UInt64) -> StreamPosition { StreamPosition(milliseconds: number, number: 0) }

    /// What a request holds, by the entries' numbers.
    private func taken(_ request: PendingRequest) async -> [UInt64] {
        request.end(.stopped)
        var numbers: [UInt64] = []
        while case .sealed(let frame)? = try? await request.next() { numbers.append(UInt64(frame[0])) }
        return numbers
    }

    @Test func `a reader is handed no more than its window and one frame`() async throws {
        let reader = request(ids.next(), window: 10)
        var answers = TailedResponses()
        answers.add(reader)
        answers.hand(entries(1...9), of: reader.id, readFrom: .start)
        #expect(!reader.hasRoom)
        #expect(answers.next(within: budget).positions.isEmpty, "nothing is read for a reader that is full")
        #expect(try await reader.next() == .sealed(entries(1...1)[0].frame ?? []))
        #expect(answers.next(within: budget).positions == [reader.id: place(3)], "reading goes on behind what it got")
        answers.hand(entries(4...9), of: reader.id, readFrom: place(3))
        #expect(await taken(reader) == [2, 3, 4])
    }

    @Test func `it says when there is room again`() async throws {
        let (rings, ringer) = AsyncStream.makeStream(of: Void.self)
        let reader = PendingRequest(id: ids.next(), deadline: .distantFuture, window: 8, onRoom: { ringer.yield() })
        for _ in 0..<3 { reader.receive([0, 0, 0, 0]) }
        _ = try await reader.next()
        #expect(!reader.hasRoom)
        for _ in 0..<2 { _ = try await reader.next() }
        ringer.finish()
        var count = 0
        for await _ in rings { count += 1 }
        #expect(count == 1)
    }

    @Test func `each reader gets all once however they come`() async {
        let id = ids.next()
        let (early, late) = (request(id), request(id))
        var answers = TailedResponses()
        answers.add(early)
        answers.hand(entries(1...3), of: id, readFrom: .start)
        // Comes while a read is under way that began behind the third entry.
        answers.add(late)
        answers.hand(entries(4...4), of: id, readFrom: place(3))
        #expect(answers.next(within: budget).positions == [id: .start])
        answers.hand(entries(1...5), of: id, readFrom: .start)
        #expect(await taken(early) == [1, 2, 3, 4, 5])
        #expect(await taken(late) == [1, 2, 3, 4, 5])
    }

    @Test func `what is no frame is passed over`() async {
        let reader = request(ids.next())
        var answers = TailedResponses()
        answers.add(reader)
        answers.hand(
            [TailedResponses.Entry(position: place(1), frame: nil)] + entries(2...2), of: reader.id, readFrom: .start)
        #expect(await taken(reader) == [2])
    }

    @Test func `only who waited in vain is overdue`() {
        let start = ContinuousClock.now
        let (due, later) = (Deadline(in: .milliseconds(10), now: start), Deadline(in: .milliseconds(11), now: start))
        let (served, starved, full, early) = (
            request(ids.next(), deadline: due), request(ids.next(), deadline: due),
            request(ids.next(), deadline: due, window: 1), request(ids.next(), deadline: later)
        )
        let now = start + .milliseconds(10)
        var answers = TailedResponses()
        for reader in [served, starved, full, early] { answers.add(reader) }
        answers.hand(entries(1...1), of: full.id, readFrom: .start)
        let read = answers.next(within: budget)
        answers.hand(entries(1...1), of: served.id, readFrom: .start)
        #expect(answers.overdue(at: now, read).map(\.id) == [starved.id])
        answers.remove(starved)
        #expect(answers.overdue(at: now, read).isEmpty)
        #expect(answers.requests.count == 3)
    }

    @Test func `a read that fails is followed by smaller ones`() {
        var answers = TailedResponses()
        for _ in 0..<40 { answers.add(request(ids.next())) }
        var budget = budget
        #expect(answers.next(within: budget).positions.count == 40)
        #expect(answers.next(within: budget).entries == TailedResponses.ReadBudget.entriesOfOneAnswer)
        while budget.entries > 80 { budget.failed() }
        #expect(answers.next(within: budget).positions.count == 40 && answers.next(within: budget).entries < 3)
        for _ in 0..<100 { budget.failed() }
        #expect(answers.next(within: budget).positions.count == 1 && answers.next(within: budget).entries == 1)
        for _ in 0..<100 { budget.succeeded() }
        #expect(answers.next(within: budget).positions.count == 40)
    }
}
