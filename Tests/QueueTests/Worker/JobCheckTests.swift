import TestSupport
import Testing

@testable import Common
@testable import Queue

/// What is told of a job that is not worked on says what came to nothing.
@Suite(.timeLimit(.minutes(5))) struct JobCheckTests {
    private func check(_ stream: JobStream, _ errors: JobCheck.Errors) -> JobCheck {
        JobCheck(stream: stream, maxDeliveries: 3, errors: errors, logger: .silent)
    }

    @Test func `a begun answer is not given twice`() async throws {
        try await QueueFixture.run { fixture in
            let (dead, taker) = try await (fixture.forwarder("dead"), fixture.forwarder("taker"))
            try await fixture.attach()
            let job = fixture.job()
            _ = try await fixture.admission().enqueue(job)
            let delivery = try #require(try await fixture.take(dead).first)
            #expect(try await dead.deliver([1], of: job, in: delivery, markerTTL: .seconds(300)))
            try await dead.leave()
            let taken = try #require(try await taker.claim(upTo: 1, running: []).first)
            for (errors, code, shouldRetry) in [
                (JobCheck.Errors.calls, "forwarder_lost", false), (.questions, "worker_lost", true),
            ] {
                let refusal = await check(taker, errors).refusal(of: job, taken, CallControl())
                #expect(refusal?.error.code == code && refusal?.error.shouldRetry == shouldRetry)
            }
        }
    }

    @Test func `of an expired question no forwarder is spoken of`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("f")
            var job = fixture.job()
            job.deadline = Deadline(in: .zero)
            _ = try await fixture.admission().enqueue(fixture.job())
            let delivery = try #require(try await fixture.take(stream).first)
            let call = check(stream, .calls).refusal(of: job, delivery)
            let question = check(stream, .questions).refusal(of: job, delivery)
            #expect(call?.error.code == "expired_in_queue" && question?.error.code == "expired_in_queue")
            #expect(call?.error.message.contains("forwarders") == true)
            #expect(question?.error.message.contains("forwarders") == false)
        }
    }

    /// The first forwarder may have made the call, which may have been paid for.
    @Test func `an expired call that was taken over must not be repeated`() async throws {
        try await QueueFixture.run { fixture in
            let (dead, taker) = try await (fixture.forwarder("dead"), fixture.forwarder("taker"))
            var job = fixture.job()
            _ = try await fixture.admission().enqueue(job)
            _ = try await fixture.take(dead)
            try await dead.leave()
            let taken = try #require(try await taker.claim(upTo: 1, running: []).first)
            job.deadline = Deadline(in: .zero)
            let call = try #require(check(taker, .calls).refusal(of: job, taken)?.error)
            #expect(call.code == "expired_in_queue" && call.shouldRetry == false)
            #expect(call.message.contains("may have been made"))
            #expect(check(taker, .questions).refusal(of: job, taken)?.error.shouldRetry != false)
        }
    }
}
