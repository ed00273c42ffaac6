import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// A stream whose client is in the forwarder's process (architecture §2.2): its pieces need no Redis, and what
/// completes it is shown once the job is known to be still this forwarder's.
@Suite(.timeLimit(.minutes(5))) struct LocalStreamTests {
    private static func event(_ choice: Int, _ text: String, finish: String? = nil) -> String {
        let reason = finish.map { "\"\($0)\"" } ?? "null"
        return #"data: {"choices":[{"index":\#(choice),"delta":{"content":"\#(text)"},"finish_reason":\#(reason)}]}"#
            + "\n\n"
    }

    /// Runs a stream, from its request to its call at the provider.
    private func withStream(
        body: String = #"{"model":"openai/gpt","stream":true}"#,
        _ run: (ForwarderFixture, TestForwarder, Job, LocalRecorder, ScriptedCall) async throws -> Void
    ) async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { forwarder in
                try await eventually { forwarder.local.isOpen }
                let client = LocalRecorder()
                let job = try await fixture.enqueue(isStream: true, body: body, on: forwarder.local, for: client)
                let call = try #require(await fixture.upstream.next())
                call.answer(type: "text/event-stream")
                try await run(fixture, forwarder, job, client, call)
            }
        }
    }

    private func text(_ frame: ResponseFrame?) -> String { String(decoding: frame?.body ?? [], as: UTF8.self) }

    @Test func `the end is shown once it is confirmed`() async throws {
        try await withStream { (fixture, _, job, client, call) async throws in
            call.send(Self.event(0, "a"))
            #expect(text(await client.next()) == Self.event(0, "a"))
            #expect(try await fixture.exists(Keys.started(job.insertionID)))
            let last = Self.event(0, "", finish: "stop")
            call.send(last).send("data: [DONE]\n\n").end()
            let end = await client.next()
            #expect(text(end) == last && end?.end == nil)
            #expect(text(await client.next()) == "data: [DONE]\n\n")
            #expect(await client.next()?.end == .complete)
            #expect(try await fixture.length(Keys.jobs) == 0, "the job has ended before")
            #expect(try await fixture.members() == [job.insertionID.description])
            #expect(try await fixture.length(job.responseKey) == 1, "only what made the stream exist is there")
        }
    }

    /// The end is the last choice's: the others go on meanwhile.
    @Test func `the last choice that finishes is the end`() async throws {
        try await withStream(body: #"{"model":"openai/gpt","stream":true,"n":2}"#) { _, _, _, client, call in
            let first = Self.event(0, "a", finish: "stop")
            call.send(first)
            #expect(text(await client.next()) == first)
            call.send(Self.event(1, "b"))
            #expect(text(await client.next()) == Self.event(1, "b"))
            let last = Self.event(1, "", finish: "length")
            call.send(last).end()
            #expect(text(await client.next()) == last)
            #expect(await client.next()?.end == .complete)
        }
    }

    /// The process stood still, and another forwarder has the job.
    @Test func `a late owners stream never looks complete`() async throws {
        try await withStream { fixture, forwarder, job, client, call in
            call.send(Self.event(0, "a"))
            #expect(text(await client.next()) == Self.event(0, "a"))
            let other = try await fixture.member("other")
            var taken: [Delivery] = []
            // A heartbeat of the forwarder's may come in between.
            while taken.isEmpty {
                try await forwarder.stream.leave()
                taken = try await other.claim(upTo: 1, running: [])
            }
            #expect(taken.map(\.insertionID) == [job.insertionID.description])
            call.send(Self.event(0, "", finish: "stop")).send("data: [DONE]\n\n").end()
            await forwarder.jobs.waitUntilEmpty()
            client.hangUp()
            #expect(await client.next() == nil)
            #expect(try await fixture.length(Keys.jobs) == 1, "the job is the other's to end")
        }
    }

    /// The provider breaks off behind the last finish reason and before its own word that the stream is over.
    @Test func `a stream that breaks behind its end is told whole`() async throws {
        try await withStream { (fixture, _, _, client, call) async throws in
            call.send(Self.event(0, "a"))
            _ = await client.next()
            let last = Self.event(0, "", finish: "stop")
            call.send(last)
            call.fail(.closedEarly, sent: true)
            #expect(text(await client.next()) == last)
            let end = await client.next()
            if case .brokenOff? = end?.end {} else { Issue.record("the client is told of the error") }
            #expect(try await fixture.members().isEmpty)
        }
    }
}
