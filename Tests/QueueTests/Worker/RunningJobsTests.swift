import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Queue

@Suite(.timeLimit(.minutes(5))) struct RunningJobsTests {
    private let ids = InsertionIDGenerator()

    /// Jobs that run until the test opens the gate.
    private final class Latch: Sendable {
        private let (opened, opening) = AsyncStream<Void>.makeStream()
        func open() { opening.finish() }
        func wait() async { for await _ in opened {} }
    }

    /// What a job is told, as a signal.
    private final class Told: Sendable {
        let (stops, stop) = AsyncStream<CallControl.Stop?>.makeStream()
        func next() async -> CallControl.Stop?? {
            var iterator = stops.makeAsyncIterator()
            return await iterator.next()
        }
    }

    @Test func `has as many slots as it was given`() async {
        let jobs = RunningJobs(capacity: 3)
        let gate = Latch()
        #expect(await jobs.waitForRoom() == 3)
        for number in 0..<3 { jobs.start(ids.next(), entry: "\(number)", on: nil) { _ in await gate.wait() } }
        #expect(jobs.count == 3 && jobs.freeSlots == 0 && jobs.ids.count == 3 && Set(jobs.entries) == ["0", "1", "2"])
        gate.open()
        await jobs.waitUntilEmpty()
        #expect(jobs.count == 0 && jobs.freeSlots == 3 && jobs.ids.isEmpty && jobs.entries.isEmpty)
    }

    @Test func `a reserved slot is not given twice`() async {
        let jobs = RunningJobs(capacity: 3)
        #expect(jobs.reserve(upTo: 2) == 2 && jobs.freeSlots == 1)
        #expect(jobs.reserve(upTo: 2) == 1 && jobs.reserve(upTo: 1) == 0, "as many as are free")
        async let room = jobs.waitForRoom()
        for _ in 0..<100 { await Task.yield() }
        jobs.unreserve(3)
        #expect(await room == 3 && jobs.freeSlots == 3)
    }

    /// Read and taken-over jobs together may be more than there are slots. The end of one makes no room then: to Redis,
    /// `COUNT 0` means all there is.
    @Test func `room is never nothing`() async {
        let jobs = RunningJobs(capacity: 1)
        let (first, rest) = (Latch(), Latch())
        jobs.start(ids.next(), entry: "0", on: nil) { _ in await first.wait() }
        for number in 1..<3 { jobs.start(ids.next(), entry: "\(number)", on: nil) { _ in await rest.wait() } }
        #expect(jobs.freeSlots == 0)
        let told = Told()
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                told.stop.yield(nil)
                return await jobs.waitForRoom()
            }
            _ = await told.next()
            for _ in 0..<100 { await Task.yield() }
            first.open()
            while jobs.count > 2 { await Task.yield() }
            rest.open()
            for await room in group { #expect(room == 1) }
        }
    }

    @Test func `a full forwarder can be stopped`() async {
        let jobs = RunningJobs(capacity: 1)
        let gate = Latch()
        jobs.start(ids.next(), entry: "0", on: nil) { _ in await gate.wait() }
        await withTaskGroup(of: Int.self) { group in
            group.addTask { await jobs.waitForRoom() }
            group.cancelAll()
            for await room in group { #expect(room == 0) }
        }
        gate.open()
        await jobs.waitUntilEmpty()
    }

    @Test func `ends a job by its ID`() async {
        let jobs = RunningJobs(capacity: 2)
        let (one, other) = (ids.next(), ids.next())
        let gate = Latch()
        let told = Told()
        for id in [one, other] {
            jobs.start(id, entry: "\(id)", on: nil) { control in
                // A cancelled task passes the gate at once.
                await gate.wait()
                if id == one { told.stop.yield(control.stop) }
            }
        }
        jobs.cancel(one)
        #expect(await told.next() == .some(.cancelled))
        gate.open()
        await jobs.waitUntilEmpty()
    }

    @Test func `remembers a cancellation that came before its job`() async {
        let jobs = RunningJobs(capacity: 1)
        let id = ids.next()
        let told = Told()
        jobs.cancel(id)
        jobs.start(id, entry: "0", on: nil) { told.stop.yield($0.stop) }
        #expect(await told.next() == .some(.cancelled))
        jobs.start(ids.next(), entry: "1", on: nil) { told.stop.yield($0.stop) }
        #expect(await told.next() == .some(nil))
    }

    /// 100,000 are remembered for a minute; beyond that the marker in Redis has to do.
    @Test func `remembered cancellations are bounded`() async {
        let jobs = RunningJobs(capacity: 1)
        let told = Told()
        func isRemembered(_ id: InsertionID) async -> Bool {
            jobs.start(id, entry: "\(id)", on: nil) { told.stop.yield($0.stop) }
            return await told.next() == .some(.cancelled)
        }
        let first = ids.next()
        jobs.cancel(first, now: 0)
        for _ in 1..<100_000 { jobs.cancel(ids.next(), now: 1000) }
        let (tooMany, later) = (ids.next(), ids.next())
        jobs.cancel(tooMany, now: 59_999)
        jobs.cancel(later, now: 60_000)
        #expect(await isRemembered(tooMany) == false)
        #expect(await isRemembered(later), "the oldest made room for it")
        #expect(await isRemembered(first) == false)
    }

    @Test func `credit reaches the job that runs`() async {
        let jobs = RunningJobs(capacity: 1)
        let id = ids.next()
        jobs.credit(id, bytes: 5)
        jobs.start(id, entry: "0", on: nil) { await $0.waitForCredit(10, atMost: .seconds(60)) }
        jobs.credit(ids.next(), bytes: 10)
        #expect(jobs.count == 1)
        jobs.credit(id, bytes: 10)
        await jobs.waitUntilEmpty()
    }

    /// Entries that are not jobs, and the same job twice, must not be left behind when a process stops.
    @Test func `releases everything that runs`() async {
        let jobs = RunningJobs(capacity: 4)
        let id = ids.next()
        let gate = Latch()
        let stops = NIOLockedValueBox<[CallControl.Stop?]>([])
        for (number, id) in [nil, id, id].enumerated() {
            jobs.start(id, entry: "\(number)", on: nil) { control in
                await gate.wait()
                stops.withLockedValue { $0.append(control.stop) }
            }
        }
        jobs.admit(["admitted"])
        jobs.releaseAll()
        jobs.start(ids.next(), entry: "admitted", on: nil) { control in
            stops.withLockedValue { $0.append(control.stop) }
        }
        await jobs.waitUntilEmpty()
        #expect(stops.withLockedValue { $0 } == [.released, .released, .released, .released])
    }

    /// Between the read and the start the entries count already: nobody may take them for lost.
    @Test func `admitted entries take their slots`() async {
        let jobs = RunningJobs(capacity: 3)
        jobs.admit(["a", "b"])
        #expect(jobs.freeSlots == 1 && Set(jobs.entries) == ["a", "b"])
        for entry in ["a", "b"] { jobs.start(nil, entry: entry, on: nil) { _ in } }
        await jobs.waitUntilEmpty()
        #expect(jobs.freeSlots == 3)
    }
}
