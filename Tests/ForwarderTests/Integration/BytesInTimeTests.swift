import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// An answer that comes slowly, under any name and status.
@Suite(.timeLimit(.minutes(5))) struct BytesInTimeTests {
    private static let first = #"data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}"# + "\n\n"

    /// Runs a forwarder with one job, whose call the test answers.
    private func run(
        isStream: Bool = false, _ body: (ForwarderFixture, Job, ScriptedCall) async throws -> Void
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let text = #"{"model":"openai/gpt"\#(isStream ? #","stream":true"# : "")}"#
            let job = try await fixture.enqueue(isStream: isStream, body: text)
            try await fixture.withForwarder { forwarder in
                try await body(fixture, job, try #require(await fixture.upstream.next()))
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    @Test(arguments: [
        ("application/x-ndjson", 200), ("application/json", 200), ("audio/mpeg", 200),
        ("application/vnd.amazon.eventstream", 200), ("", 200),
        ("text/event-stream", 200), ("application/json", 429), ("text/html", 503),
    ]) func `what has lain leaves`(type: String, status: Int) async throws {
        for isStream in [false, true] {
            try await run(isStream: isStream) { fixture, job, call in
                call.answer(status, type: type)
                for number in 0..<5 {
                    call.send("\(number)\n").pause()
                    let frame = try await fixture.answers.next(of: job)
                    #expect(frame.sequence == UInt64(number) && frame.end == nil)
                    #expect(frame.head?.status == (number == 0 ? status : nil))
                    #expect(frame.body == Array("\(number)\n".utf8))
                }
                call.end()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame == ResponseFrame(sequence: 5, end: .complete))
            }
        }
    }

    @Test func `what comes behind it leaves with the end`() async throws {
        try await run { fixture, job, call in
            call.answer().send("\n").pause()
            var frame = try await fixture.answers.next(of: job)
            #expect(frame.body == Array("\n".utf8))
            call.send("rest").end()
            frame = try await fixture.answers.next(of: job)
            #expect(frame == ResponseFrame(sequence: 1, body: Array("rest".utf8), end: .complete))
        }
    }

    /// A head of which nothing follows is not an answer yet: a call that ends so is told in a status.
    @Test func `a head alone waits`() async throws {
        try await run { fixture, job, call in
            call.answer().pause().fail(.closedEarly, sent: true)
            let frame = try await fixture.answers.next(of: job)
            #expect(frame.sequence == 0 && frame.head?.status == 502 && frame.end == .complete)
        }
    }

    @Test func `what breaks behind it is broken off`() async throws {
        try await run { fixture, job, call in
            call.answer().send("{").pause()
            var frame = try await fixture.answers.next(of: job)
            #expect(frame.body == Array("{".utf8))
            call.fail(.closedEarly, sent: true)
            frame = try await fixture.answers.next(of: job)
            guard case .brokenOff(let error) = frame.end else { throw ForwarderFixture.ResponseMissing() }
            #expect(frame.sequence == 1 && frame.head == nil && error.code == "closed_early")
            try await eventually { try await fixture.members().isEmpty }
        }
    }

    /// Whether it counts is said by its bytes, however they left.
    @Test(arguments: [(ScriptedCall.completion, true), (#"{"error":{"message":"overloaded"}}"#, false)])
    func `it counts as it would in one piece`(answer: String, counts: Bool) async throws {
        var ids: Set<String> = []
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next()).answer()
                for character in answer { call.send(String(character)).pause() }
                call.end()
                var body: [UInt8] = []
                while true {
                    let frame = try await fixture.answers.next(of: job)
                    body += frame.body
                    if frame.end != nil { break }
                }
                #expect(body == Array(answer.utf8))
                await forwarder.jobs.waitUntilEmpty()
            }
            ids = try await fixture.members()
            #expect(ids == (counts ? [job.insertionID.description] : []))
        }
    }

    /// The status is in the first frame, and what is done at the end goes by it.
    @Test(arguments: [(500, false), (429, false), (400, true), (200, true)])
    func `a failure that may pass is not kept`(status: Int, isKept: Bool) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(idempotencyKey: "key")
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next()).answer(status)
                call.send("\n").pause().send(ScriptedCall.completion).end()
                await forwarder.jobs.waitUntilEmpty()
            }
            let key = try #require(job.idempotency?.key)
            #expect(try await fixture.exists(key) == isKept)
        }
    }

    /// The forwarder asks for the usage, so it looks for the event that brings it, and holds nothing else for that.
    @Test func `what keeps a stream alive is not taken for the usage`() async throws {
        try await run(isStream: true) { fixture, job, call in
            #expect(String(decoding: call.request.body, as: UTF8.self).contains("include_usage"))
            // Until the first event the stream may be a refusal.
            call.answer(type: "text/event-stream").send(Self.first)
            #expect(try await fixture.answers.next(of: job).body == Array(Self.first.utf8))
            for text in [": keep-alive\n", ": keep-alive\n\n", "\n", ":", "\n", "data: {\"choices\":[{"] {
                call.send(text)
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.body == Array(text.utf8))
            }
            call.send("}]}\n\n" + #"data: {"choices":[],"usage":{"total_tokens":1}}"#).pause()
            call.send("\n\n: keep-alive\n")
            // Together, if the second came while the first was on its way.
            let expected = Array("}]}\n\n: keep-alive\n".utf8)
            var shown: [UInt8] = []
            while shown.count < expected.count { shown += try await fixture.answers.next(of: job).body }
            #expect(shown == expected)
            call.send(ScriptedCall.lastEvents).end()
            let frame = try await fixture.answers.next(of: job)
            #expect(frame.body == Array(ScriptedCall.lastEvents.utf8))
        }
    }
}
