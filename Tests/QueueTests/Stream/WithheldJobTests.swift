import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// A withheld job is sealed under a key of its own, which goes when the job has ended.
@Suite(.timeLimit(.minutes(5))) struct WithheldJobTests {
    private func withheld(_ bench: QueueBench, rollout: String? = "rollout") -> Job {
        var job = bench.job(rollout: rollout, body: Array("canary".utf8))
        job.logging = .withheld
        return job.withOwnSeal
    }

    private func key(_ job: Job, _ bench: QueueBench) async throws -> [UInt8]? {
        try await bench.send("GET", Keys.jobKey(job.insertionID)).bytes
    }

    private func take(_ stream: JobStream, _ bench: QueueBench) async throws -> Delivery {
        try #require(try await stream.readKeys(of: bench.take(stream)).first)
    }

    @Test func theGatewaysKeyAloneOpensNothing() async throws {
        try await QueueBench.run { bench in
            let (job, stream) = (withheld(bench), try await bench.forwarder("one"))
            _ = try await bench.admission(ttl: .seconds(100)).enqueue(job)
            let delivery = try await take(stream, bench)
            for sealed in [delivery.payload, try #require(try await key(job, bench))] {
                #expect(throws: EnvelopeError.self) {
                    try bench.envelope.open(sealed, for: .job(job.insertionID))
                }
            }
            let life = try #require(try await bench.send("PTTL", Keys.jobKey(job.insertionID)).int)
            #expect((1...100_000).contains(life), "it goes by itself if all else fails")
            #expect(try delivery.job(opening: bench.envelope) == job)
        }
    }

    /// The next forwarder of the job finds the key, and each way to end the job takes it away.
    @Test(arguments: ["well", "badly", "given up"]) func theKeyGoesWithTheJob(how: String) async throws {
        try await QueueBench.run { bench in
            let (job, first, second) = (
                withheld(bench), try await bench.forwarder("one"), try await bench.forwarder("two")
            )
            _ = try await bench.admission().enqueue(job)
            let lost = try await take(first, bench)
            try await first.release([lost.entry])
            let delivery = try #require(
                try await second.readKeys(of: second.claim(upTo: 1, running: [])).first)
            #expect(try delivery.isTakenOver && delivery.job(opening: bench.envelope) == job)
            let ending = JobStream.Ending(
                removeFrom: how == "well" ? nil : .sample, deadLetterReason: how == "given up" ? "why" : nil)
            func end(_ stream: JobStream, _ delivery: Delivery) async throws -> Bool {
                try await stream.finish(
                    delivery, id: job.insertionID, responseKey: job.responseKey, sealed: nil, ending: ending)
            }
            #expect(try await !end(first, lost), "one that lost it takes nothing away")
            #expect(try await key(job, bench) != nil)
            #expect(try await end(second, delivery))
            #expect(try await key(job, bench) == nil)
            let letters = try await bench.send("XRANGE", Keys.dead, "-", "+").array ?? []
            guard how == "given up" else { return #expect(letters.isEmpty) }
            let fields = (letters[0][1].array ?? []).compactMap(\.string)
            #expect(fields.count == 10 && fields[8] == "withheld" && fields[9].contains("cannot be queued again"))
        }
    }

    @Test func whatIsNotQueuedLeavesNoKey() async throws {
        try await QueueBench.run { bench in
            let first = withheld(bench)
            _ = try await bench.admission().enqueue(first)
            try await bench.send("SET", "taken", "a stranger's")
            let admission = bench.admission(entries: 1)
            for job in [withheld(bench), withheld(bench, rollout: nil)] {
                #expect(try await admission.enqueue(job) == .tooManyEntries)
            }
            #expect(try await bench.admission().enqueue(withheld(bench, rollout: "taken")) == .notASet)
            let keys = try await bench.send("KEYS", Keys.jobKey(first.insertionID).dropLast(36) + "*").array ?? []
            #expect(keys.compactMap(\.string) == [Keys.jobKey(first.insertionID)])
        }
    }

    /// Jobs of both kinds together: each has its own, and nothing is asked for those that are logged.
    @Test func aBatchOfBothKinds() async throws {
        try await QueueBench.run { bench in
            let stream = try await bench.forwarder("one")
            let jobs = (0..<6).map { $0.isMultiple(of: 2) ? withheld(bench) : bench.job() }
            let logged = jobs.filter { !$0.isWithheld }
            for job in logged { _ = try await bench.admission().enqueue(job) }
            let plain = try await stream.readKeys(of: bench.take(stream))
            #expect(try plain.map { try $0.job(opening: bench.envelope) } == logged)
            #expect(try await bench.send("INFO", "commandstats").string?.contains("cmdstat_mget") == false)
            #expect(try await bench.enqueue(jobs).allSatisfy { if case .queued? = $0.outcome { true } else { false } })
            let deliveries = try await stream.readKeys(of: bench.take(stream))
            #expect(try deliveries.map { try $0.job(opening: bench.envelope) } == jobs)
            #expect(
                try await bench.finish(zip(jobs, deliveries).map { .init(job: $0, delivery: $1) }, by: stream)
                    .allSatisfy { $0.isOwner == true })
            for job in jobs { #expect(try await key(job, bench) == nil) }
        }
    }

    @Test func withoutItsKeyAJobIsNoJob() async throws {
        try await QueueBench.run { bench in
            let (job, other, stream) = (withheld(bench), withheld(bench), try await bench.forwarder("one"))
            for job in [job, other] { _ = try await bench.admission().enqueue(job) }
            let unread = try #require(try await bench.take(stream).first)
            #expect(throws: DeliveryError.keyUnread) { try unread.job(opening: bench.envelope) }
            #expect(DeliveryError.keyUnread.isForOthers && !DeliveryError.keyGone.isForOthers)
            let wrapped = try #require(try await key(other, bench))
            try await bench.send("SET", Keys.jobKey(job.insertionID), wrapped)
            let swapped = try #require(try await stream.readKeys(of: [unread]).first)
            #expect(throws: DeliveryError.envelope(.wrongSeal)) { try swapped.job(opening: bench.envelope) }
            try await bench.send("DEL", Keys.jobKey(job.insertionID))
            let gone = try #require(try await stream.readKeys(of: [unread]).first)
            #expect(throws: DeliveryError.keyGone) { try gone.job(opening: bench.envelope) }
        }
    }

    /// A forwarder that does not know of redaction would trace all of it, so the job is of a version that it leaves.
    @Test func aRedactedJobIsOfALaterVersion() async throws {
        try await QueueBench.run { bench in
            var job = bench.job()
            let stream = try await bench.forwarder("one")
            for (logging, version) in [
                (ContentLogging.whole, UInt8(1)), (.redacted(LogRedaction(presets: ["email"])), 2),
            ] {
                job.logging = logging
                _ = try await bench.admission().enqueue(job)
                let delivery = try await take(stream, bench)
                #expect(try delivery.payload.first == version && delivery.job(opening: bench.envelope) == job)
            }
        }
    }
}
