import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis
@testable import Upstream

/// A job that is handed over within a process: it is the stream's all the same (architecture §2.2), and its answer
/// needs no Redis.
@Suite(.timeLimit(.minutes(5))) struct LocalWorkerTests {
    /// A worker whose jobs are worked on by `work`; open from the start.
    private struct Rig {
        let fixture: QueueFixture
        let stream: JobStream
        let jobs: RunningJobs
        let local: LocalWorker
        let sender: ResponseSender

        init(
            _ fixture: QueueFixture, capacity: Int = 10, isOpen: Bool = true,
            work: @escaping @Sendable (ResponseSender, Job, Delivery, CallControl) async -> Void
        )
            async throws
        {
            self.fixture = fixture
            stream = try await fixture.forwarder("here")
            jobs = RunningJobs(capacity: capacity)
            local = LocalWorker(jobs: jobs)
            let sender = ResponseSender(
                stream: stream, envelope: fixture.envelope, keySpace: .local, spanLife: .seconds(60),
                logger: .silent)
            self.sender = sender
            let envelope = fixture.envelope
            let intake = Intake(
                stream: stream, jobs: jobs, clock: RedisClock(), drain: .seconds(1), local: local, logger: .silent
            ) { delivery, control in
                var delivery = delivery
                guard let job = try? delivery.takeJob(opening: envelope) else { return }
                await work(sender, job, delivery, control)
            }
            if isOpen { local.open(intake) }
        }
    }

    private static let head = UpstreamHead(status: 200)

    @Test func `an answer goes straight to its client once its end is confirmed`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.attach()
            let rig = try await Rig(fixture) { sender, job, delivery, control in
                await sender.finish(
                    job, in: delivery,
                    with: ResponseFrame(sequence: 0, head: Self.head, body: job.body, end: .complete), succeeded: true,
                    control: control)
            }
            let client = LocalRecorder()
            #expect(
                try await fixture.admission().enqueue(fixture.job(body: [1, 2]), on: rig.local, for: client)
                    == .queued(length: 1))
            #expect(await client.next()?.body == [1, 2])
            await rig.jobs.waitUntilEmpty()
            #expect(rig.jobs.freeSlots == 10)
            #expect(try await fixture.send("XLEN", Keys.jobs) == .integer(0))
            #expect(
                try await fixture.frames(on: Keys.responses(ingress: "here")).isEmpty,
                "nothing of the answer is in Redis"
            )
            #expect(try await fixture.members(RolloutKeys.sample.set).count == 1)
        }
    }

    @Test func `the first piece of a stream is marked and the others need no Redis`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.attach()
            let goesOn = TestSignal()
            let rig = try await Rig(fixture) { sender, job, delivery, control in
                for number: UInt64 in 0..<3 {
                    let frame = ResponseFrame(
                        sequence: number, head: number == 0 ? Self.head : nil, body: [UInt8(number)])
                    try? await sender.send(frame, of: job, in: delivery, control: control)
                }
                await goesOn.wait()
                await sender.finish(
                    job, in: delivery, with: ResponseFrame(sequence: 3, end: .complete), succeeded: true,
                    control: control)
            }
            let client = LocalRecorder()
            var job = fixture.job()
            job.deadline = Deadline(in: .seconds(300))
            _ = try await fixture.admission().enqueue(job, on: rig.local, for: client)
            for number: UInt8 in 0..<3 { #expect(await client.next()?.body == [number]) }
            #expect(
                try await rig.stream.hasStarted(job.insertionID), "a worker that took it over would not repeat the call"
            )
            goesOn.send()
            #expect(await client.next()?.end == .complete)
            #expect(try await fixture.frames(on: job.responseKey).isEmpty)
        }
    }

    /// First come, first served: a job of another process that waits is worked on first, and this one stays for the
    /// next who is free.
    @Test func `an older job goes first`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.attach()
            let (worked, working) = AsyncStream<InsertionID>.makeStream()
            let rig = try await Rig(fixture) { _, job, _, control in
                #expect(control.client == nil, "its client is elsewhere")
                working.yield(job.insertionID)
            }
            let (older, newer) = (fixture.job(), fixture.job())
            _ = try await fixture.admission().enqueue(older)
            #expect(
                try await fixture.admission().enqueue(newer, on: rig.local, for: LocalRecorder()) == .queued(length: 2))
            var ids = worked.makeAsyncIterator()
            #expect(await ids.next() == older.insertionID)
            #expect(try await fixture.take(rig.stream).map(\.insertionID) == [newer.insertionID.description])
        }
    }

    /// Each client of a batch has its own answer, and the batch as many slots as it has jobs.
    @Test func `the clients of a batch have their own answers`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.attach()
            let rig = try await Rig(fixture, capacity: 4) { sender, job, delivery, control in
                let frame = ResponseFrame(sequence: 0, head: Self.head, body: job.body, end: .complete)
                await sender.finish(job, in: delivery, with: frame, succeeded: true, control: control)
            }
            let older = fixture.job(body: [9])
            _ = try await fixture.admission().enqueue(older)
            let (admission, clients) = (fixture.admission(), (0..<5).map { _ in LocalRecorder() })
            let jobs = (0..<5).map { fixture.job(body: [UInt8($0)]) }
            let outcomes = try await fixture.inOneTurn(5) { place, completion in
                try admission.enqueue(jobs[place], on: rig.local, for: clients[place], completion: completion)
            }
            #expect(try outcomes.map { try $0.get() } == (2...6).map { .queued(length: $0) })
            for place in 0..<3 { #expect(await clients[place].next()?.body == [UInt8(place)]) }
            await rig.jobs.waitUntilEmpty()
            #expect(rig.jobs.freeSlots == 4)
            // The older job took the fourth slot, so the fourth job waits, and the fifth had none.
            #expect(try await fixture.frames(on: older.responseKey).count == 1)
            #expect(try await fixture.take(rig.stream).map(\.insertionID) == jobs[3...].map(\.insertionID.description))
        }
    }

    /// Its client is elsewhere, so what is said of it goes over Redis as well.
    @Test func `what is said of a job from the stream goes on`() async throws {
        let jobs = RunningJobs(capacity: 1)
        let id = InsertionIDGenerator().next()
        jobs.start(id, entry: "1-0", on: nil) { control in await control.waitForCredit(1, atMost: .seconds(30)) }
        #expect(!jobs.credit(id, bytes: 1))
        await jobs.waitUntilEmpty()
    }

    /// A full worker, and one that takes no jobs, leave them to the others.
    @Test(arguments: [true, false]) func `a worker that takes none leaves jobs to others`(isFull: Bool) async throws {
        try await QueueFixture.run { fixture in
            let rig = try await Rig(fixture, capacity: 1, isOpen: isFull) { _, _, _, _ in
                Issue.record("nothing was to be taken")
            }
            if isFull { #expect(rig.jobs.reserve(upTo: 1) == 1) }
            let job = fixture.job()
            _ = try await fixture.admission().enqueue(job, on: rig.local, for: LocalRecorder())
            #expect(
                try await fixture.take(try await fixture.forwarder("there")).map(\.insertionID) == [
                    job.insertionID.description
                ])
        }
    }

    /// What is refused takes no slot.
    @Test func `a refused job gives its slot back`() async throws {
        try await QueueFixture.run { fixture in
            let rig = try await Rig(fixture) { _, _, _, _ in Issue.record("nothing was queued") }
            #expect(
                try await fixture.admission(entries: 0).enqueue(fixture.job(), on: rig.local, for: LocalRecorder())
                    == .tooManyEntries)
            #expect(rig.jobs.freeSlots == 10)
            try await fixture.send("CONFIG", "SET", "maxmemory", "1")
            await #expect(throws: RedisError.self) {
                _ = try await fixture.admission().enqueue(fixture.job(), on: rig.local, for: LocalRecorder())
            }
            #expect(rig.jobs.freeSlots == 10)
        }
    }

    /// After a flush there is no group: the job waits on the stream for one.
    @Test func `without a group a job waits`() async throws {
        try await QueueFixture.run { fixture in
            let rig = try await Rig(fixture) { _, _, _, _ in Issue.record("nothing was given") }
            try await fixture.send("FLUSHALL")
            #expect(
                try await fixture.admission().enqueue(fixture.job(), on: rig.local, for: LocalRecorder())
                    == .queued(length: 1))
            #expect(rig.jobs.freeSlots == 10)
            try await rig.stream.join()
            #expect(try await fixture.take(rig.stream).count == 1)
        }
    }

    /// A process that stood still: what it held was taken over, and its end of the answer counts for nothing.
    @Test func `a late owner says nothing to its local recorder`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.attach()
            let (isThere, goesOn) = (TestSignal(), TestSignal())
            let rig = try await Rig(fixture) { sender, job, delivery, control in
                isThere.send()
                await goesOn.wait()
                await #expect(throws: ResponseSender.LostOwnership.self) {
                    try await sender.send(
                        ResponseFrame(sequence: 0, head: Self.head, body: [1]), of: job, in: delivery, control: control)
                }
                await sender.finish(
                    job, in: delivery, with: ResponseFrame(sequence: 0, end: .complete), succeeded: false,
                    control: control)
            }
            let client = LocalRecorder()
            var job = fixture.job()
            job.deadline = Deadline(in: .seconds(300))
            _ = try await fixture.admission().enqueue(job, on: rig.local, for: client)
            await isThere.wait()
            try await rig.stream.leave()
            let other = try await fixture.forwarder("there")
            let taken = try #require(try await other.claim(upTo: 1, running: []).first)
            #expect(try taken.job(opening: fixture.envelope) == job, "it can be read elsewhere")
            goesOn.send()
            await rig.jobs.waitUntilEmpty()
            client.hangUp()
            #expect(await client.next() == nil)
            #expect(
                try await fixture.members(RolloutKeys.sample.set).count == 1, "it is the other's to say that it failed")
        }
    }

    /// A confirmation is good for a few seconds: a stream whose job was taken over does not go on for long.
    @Test func `a confirmation grows old`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.attach()
            let (isTaken, goesOn) = (TestSignal(), TestSignal())
            let rig = try await Rig(fixture) { sender, job, delivery, control in
                func send(_ number: UInt64) async throws {
                    let frame = ResponseFrame(
                        sequence: number, head: number == 0 ? Self.head : nil, body: [UInt8(number)])
                    try await sender.send(frame, of: job, in: delivery, control: control)
                }
                try? await send(0)
                isTaken.send()
                await goesOn.wait()
                try? await send(1)
                control.confirmedAt = .now - .seconds(5)
                await #expect(throws: ResponseSender.LostOwnership.self) { try await send(2) }
            }
            let client = LocalRecorder()
            var job = fixture.job()
            job.deadline = Deadline(in: .seconds(300))
            _ = try await fixture.admission().enqueue(job, on: rig.local, for: client)
            await isTaken.wait()
            try await rig.stream.leave()
            #expect(try await fixture.forwarder("there").claim(upTo: 1, running: []).count == 1)
            goesOn.send()
            await rig.jobs.waitUntilEmpty()
            client.hangUp()
            for number: UInt8 in 0..<2 { #expect(await client.next()?.body == [number]) }
            #expect(await client.next() == nil)
        }
    }

    /// Redis did what it was asked and its reply was lost: the answer is nowhere but here, so whether it may be shown
    /// is asked again.
    @Test(arguments: [true, false]) func `an end whose reply was lost is found out`(isTakenOver: Bool) async throws {
        try await QueueFixture.run { fixture in
            try await fixture.attach()
            let stream = try await fixture.forwarder("here")
            let job = fixture.job()
            let reply = try await fixture.admission().enqueue(job, givingTo: "here")
            guard case .this(let delivery) = reply.given else { throw NotGiven() }
            let keys = RolloutKeys.sample
            if isTakenOver {
                try await stream.leave()
                let other = try await fixture.forwarder("there")
                #expect(try await other.claim(upTo: 1, running: []).count == 1)
                #expect(
                    try await !stream.hasEnded(delivery, job.insertionID, recordedIn: keys.set, succeeded: true),
                    "the other has it")
                let failed = JobStream.Ending(removeFrom: keys)
                #expect(
                    try await other.finish(
                        delivery, id: job.insertionID, responseKey: job.responseKey, sealed: [1], ending: failed))
                #expect(
                    try await !stream.hasEnded(delivery, job.insertionID, recordedIn: keys.set, succeeded: true),
                    "it ended otherwise")
            } else {
                #expect(
                    try await stream.finish(
                        delivery, id: job.insertionID, responseKey: job.responseKey, sealed: nil, ending: .init()))
                #expect(try await stream.hasEnded(delivery, job.insertionID, recordedIn: keys.set, succeeded: true))
            }
            try await fixture.send("FLUSHALL")
            #expect(
                try await !stream.hasEnded(delivery, job.insertionID, recordedIn: nil, succeeded: true),
                "nothing is known")
        }
    }

    private struct NotGiven: Error {}

    @Test func `a client's word reaches the call without Redis`() async throws {
        try await QueueFixture.run { fixture in
            let rig = try await Rig(fixture) { _, job, _, control in
                await control.waitForCredit(7, atMost: .seconds(30))
                await control.waitForCredit(8, atMost: .seconds(30))
                #expect(control.stop == .cancelled && control.handedOver == 7)
            }
            let job = fixture.job()
            #expect(!rig.local.credit(job.insertionID, bytes: 1), "it does not run here")
            _ = try await fixture.admission().enqueue(job, on: rig.local, for: LocalRecorder())
            #expect(rig.local.credit(job.insertionID, bytes: 7))
            rig.local.cancel(job.insertionID, handedOver: 7)
            #expect(
                !rig.local.credit(job.insertionID, bytes: 8),
                "what was ended, as one that another took over, is not the answer's source")
            await rig.jobs.waitUntilEmpty()
        }
    }
}
