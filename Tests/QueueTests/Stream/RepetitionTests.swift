import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// A request that is made again, on the queue.
@Suite(.timeLimit(.minutes(5))) struct RepetitionTests {
    private func job(_ bench: QueueBench, request: String = "request") -> Job {
        var job = bench.job()
        job.idempotency = Idempotency(
            clientKey: "key", project: job.project, account: nil, request: [Array(request.utf8)],
            envelope: bench.envelope)
        job.responseKey = Keys.response(job.insertionID)
        job.deadline = Deadline(in: .seconds(300))
        return job
    }

    @Test func isTheFirstJobEvenWhereTheQueueIsFull() async throws {
        try await QueueBench.run { bench in
            let admission = bench.admission(entries: 1)
            let first = job(bench)
            #expect(try await admission.enqueue(first) == .queued(length: 1))
            let before = try await bench.dump()
            #expect(try await admission.enqueue(job(bench)) == .repeats(first.insertionID))
            #expect(try await admission.enqueue(job(bench, request: "another")) == .anotherRequest)
            #expect(try await bench.dump() == before)
        }
    }

    @Test func aRefusedJobLeavesItsKeyFree() async throws {
        try await QueueBench.run { bench in
            _ = try await bench.admission().enqueue(bench.job())
            #expect(try await bench.admission(entries: 1).enqueue(job(bench)) == .tooManyEntries)
            #expect(try await bench.admission().enqueue(job(bench)) == .queued(length: 2))
        }
    }

    @Test func aJobFreesItsOwnKeyOnly() async throws {
        try await QueueBench.run { bench in
            let stream = try await bench.forwarder("one")
            for isFreed in [true, false] {
                let first = job(bench)
                let key = try #require(first.idempotency?.key)
                #expect(try await bench.admission().enqueue(first) == .queued(length: 1))
                if !isFreed { try await bench.send("HSET", key, "id", "another's") }
                let delivery = try #require(try await bench.take(stream).first)
                #expect(
                    try await stream.finish(
                        delivery, id: first.insertionID, responseKey: first.responseKey, sealed: [1],
                        ending: .init(frees: key)))
                #expect(try await bench.send("EXISTS", key).int == (isFreed ? 0 : 1))
            }
        }
    }

    @Test func keysDifferByProjectAndAccount() {
        let envelope = Envelope(key: .random())
        func key(_ project: String, _ account: String?, _ text: String, _ envelope: Envelope) -> String {
            Idempotency(clientKey: text, project: project, account: account, request: [], envelope: envelope).key
        }
        let keys = [
            key("p", nil, "k", envelope), key("p", "", "k", envelope), key("p", "a", "k", envelope),
            key("q", nil, "k", envelope),
            key("p", nil, "j", envelope), key("pk", nil, "", envelope), key("p", nil, "k", Envelope(key: .random())),
        ]
        #expect(Set(keys).count == keys.count)
        #expect(key("p", "a", "k", envelope) == key("p", "a", "k", envelope))
    }
}
