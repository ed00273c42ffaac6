import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Withheld jobs: sealed under a key of their own, which goes with each way to end them.
@Suite(.timeLimit(.minutes(5))) struct WithheldCallTests {
    private static let body = #"{"model":"openai/gpt","messages":[{"role":"user","content":"canary"}]}"#

    private func enqueue(
        _ fixture: ForwarderFixture, deadline: Deadline = Deadline(in: .seconds(300)), idempotencyKey: String? = nil,
        on local: LocalWorker? = nil, for client: (any LocalClient)? = nil
    ) async throws -> Job {
        try await fixture.enqueue(
            deadline: deadline, idempotencyKey: idempotencyKey, body: Self.body, logging: .withheld, on: local,
            for: client)
    }

    private func hasKey(_ job: Job, _ fixture: ForwarderFixture) async throws -> Bool {
        try await fixture.exists(Keys.jobKey(job.insertionID))
    }

    private func letter(_ fixture: ForwarderFixture) async throws -> [String] {
        let letters = try await fixture.redis.send(RedisCommand("XRANGE", Keys.dead, "-", "+"))
        return (letters[0][1].array ?? []).map { $0.string ?? "" }
    }

    @Test func `an answered call leaves no key`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await enqueue(fixture)
            #expect(try await hasKey(job, fixture))
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                #expect(String(decoding: call.request.body, as: UTF8.self).contains("canary"))
                call.answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
            }
            #expect(try await !hasKey(job, fixture))
            let span = try await fixture.span(of: job)
            #expect(span.string("langfuse.observation.metadata.gateway_content") == "withheld")
            #expect(try await fixture.members() == [job.insertionID.description])
        }
    }

    /// What one forwarder had another one opens, be it dead or told to stop.
    @Test(arguments: ["dies", "stops"]) func `another forwarder makes the call`(first: String) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await enqueue(fixture)
            if first == "dies" {
                _ = try await fixture.lose()
            } else {
                try await fixture.withForwarder("first", drain: .zero) { _ in _ = await fixture.upstream.next() }
            }
            #expect(try await hasKey(job, fixture))
            try await fixture.withForwarder("second") { forwarder in
                try await forwarder.reclaim()
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
            }
            #expect(try await !hasKey(job, fixture))
        }
    }

    @Test func `a dead letter has no request`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await enqueue(fixture)
            for _ in 0..<3 { _ = try await fixture.lose() }
            try await fixture.withForwarder { forwarder in
                try await forwarder.reclaim()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 502)
                #expect(String(decoding: frame.body, as: UTF8.self).contains("without the request"))
                await forwarder.jobs.waitUntilEmpty()
            }
            let fields = try await letter(fixture)
            #expect(fields[1].contains("given to 3 forwarders") && fields[5] == job.insertionID.description)
            #expect(fields.count == 10 && fields[8] == "withheld" && fields[9].contains("cannot be queued again"))
            #expect(try await !hasKey(job, fixture))
            #expect(try await fixture.members().isEmpty)
        }
    }

    /// Without its key nothing opens a job: it is given up at once, and the forwarder goes on.
    @Test func `a job without its key is given up`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await enqueue(fixture)
            _ = try await fixture.redis.send(RedisCommand("DEL", Keys.jobKey(job.insertionID)))
            try await fixture.withForwarder { forwarder in
                try await eventually { try await fixture.length(Keys.dead) == 1 }
                let next = try await enqueue(fixture)
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: next).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
            }
            #expect(try await fixture.length(Keys.jobs) == 0 && fixture.upstream.count == 1)
            let fields = try await letter(fixture)
            #expect(fields[1].contains("is gone") && fields[8] == "withheld" && fields.count == 10)
        }
    }

    @Test(arguments: ["cancelled", "expired", "refused"]) func `a call that is not made leaves no key`(
        why: String
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await enqueue(fixture, deadline: why == "expired" ? .past : Deadline(in: .seconds(300)))
            if why == "cancelled" {
                _ = try await fixture.redis.send(RedisCommand("SET", Keys.cancelled(job.insertionID), "1"))
                // Its marker is looked up: it came before this forwarder listened.
                let isOld = Deadline(in: .milliseconds(200))
                try await eventually { isOld.isOver() }
            }
            try await fixture.withForwarder { forwarder in
                if why == "refused" {
                    try #require(await fixture.upstream.next()).answer(400).send("canary").end()
                    #expect(try await fixture.answers.next(of: job).head?.status == 400)
                }
                try await eventually { try await fixture.length(Keys.jobs) == 0 }
                await forwarder.jobs.waitUntilEmpty()
            }
            #expect(try await !hasKey(job, fixture))
            #expect(try await fixture.members().isEmpty)
        }
    }

    /// An answer that a client may still fetch is delivery: any ingress opens it.
    @Test func `an answer that is kept is the gateways`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await enqueue(fixture, idempotencyKey: "k")
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                await forwarder.jobs.waitUntilEmpty()
                try await eventually { try await fixture.length(job.responseKey) == 1 }
            }
            let entry = try await fixture.redis.send(RedisCommand("XRANGE", job.responseKey, "-", "+"))[0][1]
            let sealed = try #require(entry[3].bytes)
            let frame = try ResponseFrame(wireBytes: fixture.envelope.open(sealed, for: .frame(job.insertionID)))
            #expect(frame.body == Array(ScriptedCall.completion.utf8))
            #expect(try await !hasKey(job, fixture))
        }
    }

    @Test func `a call of this process leaves no key`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { forwarder in
                try await eventually { forwarder.local.isOpen }
                let client = LocalRecorder()
                let job = try await enqueue(fixture, on: forwarder.local, for: client)
                let call = try #require(await fixture.upstream.next())
                #expect(try await hasKey(job, fixture))
                call.answer().send(ScriptedCall.completion).end()
                #expect(await client.next()?.end == .complete)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await !hasKey(job, fixture))
            }
        }
    }

    /// The frames of the answer are the job's own as well: they open with nothing when the key has gone.
    @Test func `the gateway's key opens no frame`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await enqueue(fixture)
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                _ = try await fixture.answers.next(of: job)
                await forwarder.jobs.waitUntilEmpty()
            }
            let entries = try await fixture.redis.send(RedisCommand("XRANGE", job.responseKey, "-", "+")).array ?? []
            let sealed = entries.compactMap { $0[1][3].bytes }
            #expect(sealed.count == 1)
            for frame in sealed {
                #expect(throws: EnvelopeError.otherKey) {
                    try fixture.envelope.open(frame, for: .frame(job.insertionID))
                }
            }
        }
    }
}
