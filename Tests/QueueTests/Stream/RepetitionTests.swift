import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// A request that is made again, on the queue.
@Suite(.timeLimit(.minutes(5))) struct RepetitionTests {
    private func job(_ fixture: QueueFixture, request: String = "request") -> Job {
        var job = fixture.job()
        job.idempotency = Idempotency(
            clientKey: "key", project: job.project, account: nil, request: [Array(request.utf8)],
            envelope: fixture.envelope)
        job.responseKey = Keys.response(job.insertionID)
        job.deadline = Deadline(in: .seconds(300))
        return job
    }

    @Test func `is the first job even where the queue is full`() async throws {
        try await QueueFixture.run { fixture in
            let admission = fixture.admission(entries: 1)
            let first = job(fixture)
            #expect(try await admission.enqueue(first) == .queued(length: 1))
            let before = try await fixture.dump()
            #expect(try await admission.enqueue(job(fixture)) == .repeats(first.insertionID))
            #expect(try await admission.enqueue(job(fixture, request: "another")) == .anotherRequest)
            #expect(try await fixture.dump() == before)
        }
    }

    @Test func `a refused job leaves its key free`() async throws {
        try await QueueFixture.run { fixture in
            _ = try await fixture.admission().enqueue(fixture.job())
            #expect(try await fixture.admission(entries: 1).enqueue(job(fixture)) == .tooManyEntries)
            #expect(try await fixture.admission().enqueue(job(fixture)) == .queued(length: 2))
        }
    }

    @Test func `a job frees its own key only`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            for isFreed in [true, false] {
                let first = job(fixture)
                let key = try #require(first.idempotency?.key)
                #expect(try await fixture.admission().enqueue(first) == .queued(length: 1))
                if !isFreed { try await fixture.send("HSET", key, "id", "another's") }
                let delivery = try #require(try await fixture.take(stream).first)
                #expect(
                    try await stream.finish(
                        delivery, id: first.insertionID, responseKey: first.responseKey, sealed: [1],
                        ending: .init(frees: key)))
                #expect(try await fixture.send("EXISTS", key).int == (isFreed ? 0 : 1))
            }
        }
    }

    @Test func `keys differ by project and account`() {
        let envelope = Envelope(key: .random())
        func key(_ project: String, account: String?, text: String, envelope: Envelope) -> String {
            Idempotency(clientKey: text, project: project, account: account, request: [], envelope: envelope).key
        }
        let keys = [
            key("p", account: nil, text: "k", envelope: envelope), key("p", account: "", text: "k", envelope: envelope),
            key("p", account: "a", text: "k", envelope: envelope),
            key("q", account: nil, text: "k", envelope: envelope),
            key("p", account: nil, text: "j", envelope: envelope),
            key("pk", account: nil, text: "", envelope: envelope),
            key("p", account: nil, text: "k", envelope: Envelope(key: .random())),
        ]
        #expect(Set(keys).count == keys.count)
        #expect(
            key("p", account: "a", text: "k", envelope: envelope)
                == key("p", account: "a", text: "k", envelope: envelope))
    }
}
