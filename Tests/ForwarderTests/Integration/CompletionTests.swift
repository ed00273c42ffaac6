import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// A job's way from the queue to the provider and back.
@Suite(.timeLimit(.minutes(5))) struct CompletionTests {
    /// What is left in Redis of a job that ended.
    private func expectNothingLeft(_ fixture: ForwarderFixture, of job: Job, counts: Bool) async throws {
        #expect(try await fixture.members() == (counts ? [job.insertionID.description] : []))
        #expect(try await fixture.length(Keys.jobs) == 0)
        for key in [Keys.jobBytes, Keys.started(job.insertionID), Keys.response(job.insertionID), Keys.dead] {
            #expect(try await fixture.exists(key) == false, "\(key)")
        }
    }

    @Test func `an answer is one frame`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                #expect(call.request.url == "https://api.openai.com/v1/chat/completions")
                #expect(call.request.headers.first(named: "authorization") == "Bearer sk-client")
                #expect(call.request.timeouts.total <= .seconds(300), "never beyond the job's deadline")
                call.answer(200, [HeaderField("x-request-id", "abc"), HeaderField("Set-Cookie", "no")]).send(
                    #"{"a": 1.50, "choices":"#
                ).send(
                    #" [{"message":{}}]}"#
                ).end()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 200)
                #expect(
                    frame.head?.headers == [
                        HeaderField("content-type", "application/json"), HeaderField("x-request-id", "abc"),
                        HeaderField("x-tfy-resolved-model", "openai/gpt"), HeaderField("x-tfy-attempts", "1"),
                    ])
                #expect(
                    String(decoding: frame.body, as: UTF8.self) == #"{"a": 1.50, "choices": [{"message":{}}]}"#
                        && frame.end == .complete)
                await forwarder.jobs.waitUntilEmpty()
                try await expectNothingLeft(fixture, of: job, counts: true)
            }
            #expect(try await fixture.exists(Keys.forwarder("forwarder")) == false, "a forwarder that stops says so")
        }
    }

    @Test(arguments: [301, 400, 429, 500, 529]) func `a provider's error passes and does not count`(
        _ status: Int
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true)
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer(status, [HeaderField("retry-after", "7")]).send(
                    "what the "
                ).send("provider said")
                    .end()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == status && frame.head?.headers.first(named: "retry-after") == "7")
                #expect(frame.body == Array("what the provider said".utf8) && frame.end == .complete)
                await forwarder.jobs.waitUntilEmpty()
                try await expectNothingLeft(fixture, of: job, counts: false)
                #expect(fixture.upstream.count == 1)
            }
        }
    }

    @Test func `a stream comes as it is sent`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                call.answer(type: "text/event-stream")
                for number in 0..<20 {
                    call.send("data: \(number)\n\n")
                    let frame = try await fixture.answers.next(of: job)
                    #expect(
                        frame.sequence == UInt64(number) && (frame.head != nil) == (number == 0) && frame.end == nil)
                    #expect(frame.body == Array("data: \(number)\n\n".utf8))
                    #expect(try await fixture.exists(Keys.started(job.insertionID)))
                }
                call.send(ScriptedCall.lastEvents)
                _ = try await fixture.answers.next(of: job)
                call.end()
                #expect(try await fixture.answers.next(of: job) == ResponseFrame(sequence: 21, end: .complete))
                await forwarder.jobs.waitUntilEmpty()
                try await expectNothingLeft(fixture, of: job, counts: true)
            }
        }
    }

    @Test func `a broken stream says so and does not count`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send(
                    "data: 1\n\n")
                #expect(try await fixture.answers.next(of: job).sequence == 0)
                call.fail(.closedEarly, sent: true)
                let frame = try await fixture.answers.next(of: job)
                guard case .brokenOff(let error) = frame.end else { throw ForwarderFixture.ResponseMissing() }
                #expect(frame.sequence == 1 && frame.head == nil && error.code == "closed_early")
                await forwarder.jobs.waitUntilEmpty()
                try await expectNothingLeft(fixture, of: job, counts: false)
                #expect(fixture.upstream.count == 1)
            }
        }
    }

    @Test func `only what was not sent is tried again`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder { _ in
                try #require(await fixture.upstream.next()).fail(.connect, sent: false)
                try #require(await fixture.upstream.next()).fail(.resolve, sent: false)
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                #expect(fixture.upstream.count == 3)
            }
        }
    }

    @Test(arguments: [
        (UpstreamError.Code.connect, true, 502), (.closedEarly, true, 502), (.idleTimeout, true, 504),
        (.blockedAddress, false, 400),
    ])
    func `what may have been paid for is not`(_ code: UpstreamError.Code, _ sent: Bool, _ status: Int) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).fail(code, sent: sent)
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == status && frame.head?.headers.first(named: "x-should-retry") == "false")
                await forwarder.jobs.waitUntilEmpty()
                try await expectNothingLeft(fixture, of: job, counts: false)
                #expect(fixture.upstream.count == 1)
            }
        }
    }

    /// A job that waited too long is answered and never made.
    @Test func `an expired job is not called`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(deadline: .past)
            try await fixture.withForwarder { forwarder in
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 504 && frame.end == .complete)
                #expect(String(decoding: frame.body, as: UTF8.self).contains("expired_in_queue"))
                await forwarder.jobs.waitUntilEmpty()
                try await expectNothingLeft(fixture, of: job, counts: false)
                #expect(fixture.upstream.count == 0)
            }
        }
    }

    /// Whatever stands on the stream, the jobs behind it are answered.
    @Test func `garbage does not stop the forwarder`() async throws {
        try await ForwarderFixture.run { fixture in
            for number in 0..<20 {
                var command = RedisCommand(
                    "XADD", Keys.jobs, "*", number.isMultiple(of: 2) ? "i" : "x",
                    InsertionIDGenerator().next().description)
                if number > 3 { command.append(contentsOf: ["p", String(repeating: "[", count: number << 12)]) }
                _ = try await fixture.redis.send(command)
            }
            let job = try await fixture.enqueue()
            try await fixture.withForwarder(capacity: 2) { forwarder in
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await fixture.length(Keys.dead) == 20)
                #expect(try await fixture.length(Keys.jobs) == 0)
                #expect(try await fixture.exists(Keys.jobBytes) == false)
            }
        }
    }
}
