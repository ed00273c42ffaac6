import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// A withheld job is sealed under a key of its own, which goes when the job has ended.
@Suite(.timeLimit(.minutes(5))) struct WithheldJobTests {
    private func withheld(_ fixture: QueueFixture, rollout: String? = "rollout") -> Job {
        var job = fixture.job(rollout: rollout, body: Array("canary".utf8))
        job.logging = .withheld
        return job.withOwnSeal
    }

    private func key(_ job: Job, _ fixture: QueueFixture) async throws -> [UInt8]? {
        try await fixture.send("GET", Keys.jobKey(job.insertionID)).bytes
    }

    private func take(_ stream: JobStream, _ fixture: QueueFixture) async throws -> Delivery {
        try #require(try await stream.readKeys(of: fixture.take(stream)).first)
    }

    @Test func `the gateway's key alone opens nothing`() async throws {
        try await QueueFixture.run { fixture in
            let (job, stream) = (withheld(fixture), try await fixture.forwarder("one"))
            _ = try await fixture.admission(ttl: .seconds(100)).enqueue(job)
            let delivery = try await take(stream, fixture)
            for sealed in [delivery.payload, try #require(try await key(job, fixture))] {
                #expect(throws: EnvelopeError.self) {
                    try fixture.envelope.open(sealed, for: .job(job.insertionID))
                }
            }
            let life = try #require(try await fixture.send("PTTL", Keys.jobKey(job.insertionID)).int)
            #expect((1...100_000).contains(life), "it goes by itself if all else fails")
            #expect(try delivery.job(opening: fixture.envelope) == job)
        }
    }

    /// The next forwarder of the job finds the key, and each way to end the job takes it away.
    @Test(arguments: ["well", "badly", "given up"]) func `the key goes with the job`(how: String) async throws {
        try await QueueFixture.run { fixture in
            let (job, first, second) = (
                withheld(fixture), try await fixture.forwarder("one"), try await fixture.forwarder("two")
            )
            _ = try await fixture.admission().enqueue(job)
            let lost = try await take(first, fixture)
            try await first.release([lost.entry])
            let delivery = try #require(
                try await second.readKeys(of: second.claim(upTo: 1, running: [])).first)
            #expect(try delivery.isTakenOver && delivery.job(opening: fixture.envelope) == job)
            let ending = JobStream.Ending(
                removeFrom: how == "well" ? nil : .sample, deadLetterReason: how == "given up" ? "why" : nil)
            func end(_ stream: JobStream, _ delivery: Delivery) async throws -> Bool {
                try await stream.finish(
                    delivery, id: job.insertionID, responseKey: job.responseKey, sealed: nil, ending: ending)
            }
            #expect(try await !end(first, lost), "one that lost it takes nothing away")
            #expect(try await key(job, fixture) != nil)
            #expect(try await end(second, delivery))
            #expect(try await key(job, fixture) == nil)
            let letters = try await fixture.send("XRANGE", Keys.dead, "-", "+").array ?? []
            guard how == "given up" else { return #expect(letters.isEmpty) }
            let fields = (letters[0][1].array ?? []).compactMap(\.string)
            #expect(fields.count == 10 && fields[8] == "withheld" && fields[9].contains("cannot be queued again"))
        }
    }

    @Test func `what is not queued leaves no key`() async throws {
        try await QueueFixture.run { fixture in
            let first = withheld(fixture)
            _ = try await fixture.admission().enqueue(first)
            try await fixture.send("SET", "taken", "a stranger's")
            let admission = fixture.admission(entries: 1)
            for job in [withheld(fixture), withheld(fixture, rollout: nil)] {
                #expect(try await admission.enqueue(job) == .tooManyEntries)
            }
            #expect(try await fixture.admission().enqueue(withheld(fixture, rollout: "taken")) == .notASet)
            let keys = try await fixture.send("KEYS", Keys.jobKey(first.insertionID).dropLast(36) + "*").array ?? []
            #expect(keys.compactMap(\.string) == [Keys.jobKey(first.insertionID)])
        }
    }

    /// Jobs of both kinds together: each has its own, and nothing is asked for those that are logged.
    @Test func `a batch of both kinds`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let jobs = (0..<6).map { $0.isMultiple(of: 2) ? withheld(fixture) : fixture.job() }
            let logged = jobs.filter { !$0.isWithheld }
            for job in logged { _ = try await fixture.admission().enqueue(job) }
            let plain = try await stream.readKeys(of: fixture.take(stream))
            #expect(try plain.map { try $0.job(opening: fixture.envelope) } == logged)
            #expect(try await fixture.send("INFO", "commandstats").string?.contains("cmdstat_mget") == false)
            #expect(
                try await fixture.enqueue(jobs).allSatisfy { if case .queued? = $0.outcome { true } else { false } })
            let deliveries = try await stream.readKeys(of: fixture.take(stream))
            #expect(try deliveries.map { try $0.job(opening: fixture.envelope) } == jobs)
            #expect(
                try await fixture.finish(zip(jobs, deliveries).map { .init(job: $0, delivery: $1) }, by: stream)
                    .allSatisfy { $0.isOwner == true })
            for job in jobs { #expect(try await key(job, fixture) == nil) }
        }
    }

    @Test func `without its key a job is no job`() async throws {
        try await QueueFixture.run { fixture in
            let (job, other, stream) = (withheld(fixture), withheld(fixture), try await fixture.forwarder("one"))
            for job in [job, other] { _ = try await fixture.admission().enqueue(job) }
            let unread = try #require(try await fixture.take(stream).first)
            #expect(throws: DeliveryError.keyUnread) { try unread.job(opening: fixture.envelope) }
            #expect(DeliveryError.keyUnread.isForOthers && !DeliveryError.keyGone.isForOthers)
            let wrapped = try #require(try await key(other, fixture))
            try await fixture.send("SET", Keys.jobKey(job.insertionID), wrapped)
            let swapped = try #require(try await stream.readKeys(of: [unread]).first)
            #expect(throws: DeliveryError.envelope(.wrongSeal)) { try swapped.job(opening: fixture.envelope) }
            try await fixture.send("DEL", Keys.jobKey(job.insertionID))
            let gone = try #require(try await stream.readKeys(of: [unread]).first)
            #expect(throws: DeliveryError.keyGone) { try gone.job(opening: fixture.envelope) }
        }
    }

    /// A forwarder that does not know of redaction would trace all of it, so the job is of a version that it leaves.
    @Test func `a redacted job is of a later version`() async throws {
        try await QueueFixture.run { fixture in
            var job = fixture.job()
            let stream = try await fixture.forwarder("one")
            for (logging, version) in [
                (ContentLogging.whole, UInt8(1)), (.redacted(LogRedaction(presets: ["email"])), 2),
            ] {
                job.logging = logging
                _ = try await fixture.admission().enqueue(job)
                let delivery = try await take(stream, fixture)
                #expect(try delivery.payload.first == version && delivery.job(opening: fixture.envelope) == job)
            }
        }
    }
}
