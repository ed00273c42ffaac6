import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Jobs whose forwarder was lost, stopped or robbed (architecture §2.2, §2.4).
@Suite(.timeLimit(.minutes(5))) struct RedeliveryTests {
    @Test func `a job of a dead forwarder is made again`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            for _ in 0..<2 { _ = try await fixture.lose() }
            try await fixture.withForwarder { forwarder in
                try await forwarder.reclaim()
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await fixture.exists(Keys.dead) == false)
            }
        }
    }

    @Test func `the third death is the last`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            for _ in 0..<3 { _ = try await fixture.lose() }
            try await fixture.withForwarder { forwarder in
                try await forwarder.reclaim()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.sequence == .max && frame.head?.status == 502)
                #expect(String(decoding: frame.body, as: UTF8.self).contains("given to 3 forwarders"))
                await forwarder.jobs.waitUntilEmpty()
                let letter = try await fixture.redis.send(RedisCommand("XRANGE", Keys.dead, "-", "+"))[0][1]
                #expect(letter[1].string?.contains("given to 3 forwarders") == true)
                #expect(letter[5].string == job.insertionID.description && letter[8].string == "p")
                #expect(try await fixture.members().isEmpty)
                #expect(try await fixture.length(Keys.jobs) == 0)
                #expect(fixture.upstream.count == 0)
            }
        }
    }

    /// A client that has the beginning must never get the beginning of another answer.
    @Test func `a begun answer is not repeated`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true)
            let dead = try await fixture.member("dead")
            let delivery = try #require(try await dead.read(upTo: 1, wait: .milliseconds(100)).first)
            let begun = try fixture.envelope.seal(
                ResponseFrame(sequence: 0, body: [1]).wireBytes, for: .frame(job.insertionID))
            #expect(try await dead.deliver(begun, of: job, in: delivery, markerTTL: .seconds(300)))
            #expect(try await fixture.answers.next(of: job).body == [1])
            try await dead.leave()
            try await fixture.withForwarder { forwarder in
                try await forwarder.reclaim()
                try await expectForwarderLost(fixture, job: job, by: forwarder)
                #expect(fixture.upstream.count == 0)
            }
        }
    }

    private func expectForwarderLost(_ fixture: ForwarderFixture, job: Job, by forwarder: TestForwarder) async throws {
        let frame = try await fixture.answers.next(of: job)
        await forwarder.jobs.waitUntilEmpty()
        guard case .brokenOff(let error) = frame.end else { throw ForwarderFixture.ResponseMissing() }
        #expect(frame.sequence == .max && error.code == "forwarder_lost")
        #expect(try await fixture.members().isEmpty)
        #expect(try await fixture.length(Keys.jobs) == 0)
    }

    /// Handing back does not count as a delivery, but its answer had begun all the same.
    @Test func `a begun answer that was handed back is not repeated either`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true)
            try await fixture.withForwarder("first", drain: .zero) { _ in
                try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send("data: 1\n\n")
                #expect(try await fixture.answers.next(of: job).sequence == 0)
            }
            try await fixture.withForwarder("second") { forwarder in
                try await forwarder.reclaim()
                try await expectForwarderLost(fixture, job: job, by: forwarder)
                #expect(fixture.upstream.count == 1)
            }
        }
    }

    @Test func `a stopping forwarder lets its calls end`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                await forwarder.stop()
                // One read may still bring a job; after it no more are taken.
                call.answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
            }
            #expect(try await fixture.members() == [job.insertionID.description])
            #expect(try await fixture.exists(Keys.forwarder("forwarder")) == false)
        }
    }

    /// All slots are taken and no call ends: what is left after the drain time goes to the others, uncounted. It is
    /// called again there.
    @Test func `a full forwarder hands back what does not end`() async throws {
        try await ForwarderFixture.run { fixture in
            for round in 0..<5 {
                let jobs = round == 0 ? [try await fixture.enqueue(), try await fixture.enqueue()] : []
                try await fixture.withForwarder("forwarder \(round)", capacity: 2, drain: .zero) { forwarder in
                    if jobs.isEmpty { try await forwarder.reclaim() }
                    for _ in 0..<2 { _ = try #require(await fixture.upstream.next()) }
                }
            }
            #expect(fixture.upstream.count == 10)
            #expect(try await fixture.members().count == 2)
            #expect(try await fixture.length(Keys.jobs) == 2)
            #expect(try await fixture.length(Keys.dead) == 0)
            let last = try await fixture.member("last")
            #expect(try await last.claim(upTo: 10, running: []).map(\.count) == [1, 1])
        }
    }

    /// Another forwarder believed this one dead. What it still sends is dropped, and so is its call.
    @Test func `a robbed forwarder stops its call`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                let entry = try #require(forwarder.jobs.entries.first)
                _ = try await fixture.redis.send(RedisCommand("XCLAIM", Keys.jobs, Keys.jobGroup, "thief", 0, entry))
                call.answer(type: "text/event-stream").send("data: late\n\n")
                await call.isLeft()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await fixture.length(job.responseKey) == 1)
                #expect(try await fixture.length(Keys.jobs) == 1)
                #expect(try await fixture.members() == [job.insertionID.description])
                #expect(try await fixture.exists(Keys.started(job.insertionID)) == false)
            }
        }
    }

    /// The queue is emptied under a forwarder whose only slot is taken. It must come free, or nobody makes the group
    /// again.
    @Test func `a flushed queue comes back`() async throws {
        try await ForwarderFixture.run { fixture in
            _ = try await fixture.enqueue()
            try await fixture.withForwarder(capacity: 1) { _ in
                let call = try #require(await fixture.upstream.next())
                _ = try await fixture.redis.send(RedisCommand("FLUSHALL"))
                _ = try await fixture.redis.evaluate(JobScripts.attach, keys: [fixture.answers.key], arguments: 600)
                call.answer().send("lost").end()
                let job = try await fixture.enqueue()
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
            }
        }
    }

    /// Redis dies in the middle of a stream and comes back with its append-only file: the stream goes on where it was.
    @Test func `a stream outlives a restart of Redis`() async throws {
        try await ForwarderFixture.run(isDurable: true) { fixture in
            let job = try await fixture.enqueue(isStream: true)
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send("x: 1")
                #expect(try await fixture.answers.next(of: job).body == Array("x: 1".utf8))
                fixture.server.kill()
                call.send("\n\n" + ScriptedCall.lastEvents).end()
                try await fixture.server.start()
                #expect(try await fixture.answers.next(of: job).body == Array(("\n\n" + ScriptedCall.lastEvents).utf8))
                #expect(try await fixture.answers.next(of: job).end == .complete)
                await forwarder.jobs.waitUntilEmpty()
                try await fixture.redis.waitUntilReady(timeout: .seconds(10))
                #expect(try await fixture.members() == [job.insertionID.description])
                #expect(try await fixture.length(Keys.jobs) == 0)
            }
        }
    }
}
