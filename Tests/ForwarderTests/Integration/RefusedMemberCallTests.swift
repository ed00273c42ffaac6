import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// A provider that refuses `stream_options`, which the client has not sent.
@Suite(.timeLimit(.minutes(5))) struct RefusedMemberCallTests {
    private static let sent = #"{"model":"openai/gpt","stream":true}"#
    private static let refusal =
        #"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#
    private static let other = #"{"error":{"message":"max_tokens is too large","param":"max_tokens"}}"#

    private func run(
        body: String = sent, route: Route = Route(), options: CallOptions = CallOptions(),
        charges: [RateCharge] = [], limits: CallLimits = CallLimits(tries: 1, calls: 1),
        _ test: (ForwarderFixture, Job, ScriptedCall) async throws -> Void
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(
                isStream: true, body: body, charges: charges, route: route, options: options)
            try await fixture.withForwarder(limits: limits, accounts: RoutedCallTests.accounts) { forwarder in
                try await test(fixture, job, try #require(await fixture.upstream.next()))
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    /// The status, the text and the headers of a whole answer.
    private func answer(
        _ fixture: ForwarderFixture, _ job: Job
    ) async throws -> (status: Int?, text: String, headers: [HeaderField]) {
        var (head, text): (UpstreamHead?, String) = (nil, "")
        while true {
            let frame = try await fixture.answers.next(of: job)
            head = head ?? frame.head
            text += String(decoding: frame.body, as: UTF8.self)
            if frame.end != nil { return (head?.status, text, head?.headers ?? []) }
        }
    }

    private func text(of call: ScriptedCall) -> String { String(decoding: call.request.body, as: UTF8.self) }

    @Test(arguments: [400, 402, 403, 404, 405, 406, 409, 412, 415, 422, 424, 460, 501])
    func `the call is made once more without it`(
        status: Int
    ) async throws {
        try await run { (fixture, job, call) async throws in
            #expect(text(of: call).contains("stream_options"))
            call.answer(status).send(Self.refusal).end()
            let second = try #require(await fixture.upstream.next())
            #expect(text(of: second) == #"{"model":"gpt","stream":true}"#, "the client's bytes")
            // The usage that a provider tells unasked is the client's to see.
            let usage = #"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#
            let lines = ScriptedCall.lastEvents.replacing("data: [DONE]", with: usage + "\n\ndata: [DONE]")
            second.answer(type: "text/event-stream").send(lines).end()
            let answer = try await answer(fixture, job)
            #expect(answer.status == 200 && answer.text == lines)
            #expect(answer.headers.first(named: "x-tfy-attempts") == "1", "it uses up no attempt")
            try await eventually { try await fixture.exists(Keys.span(job.insertionID)) }
            let span = try await fixture.span(of: job)
            #expect(span.level == nil && span.string("langfuse.observation.metadata.gateway_failed_attempts") == nil)
            #expect(try await fixture.members() == [job.insertionID.description])
        }
    }

    /// Some servers answer with 200 before they look into the request.
    @Test(arguments: [
        ("text/event-stream", ["data: \(refusal)\n\n", "data: [DONE]\n\n"]),
        (
            "text/event-stream",
            ["event: error\r\nda", "ta: {\"error\":{\"message\":\"no stream_options here\"}}\r\n\r\n"]
        ),
        ("application/json", ["{\"object\":\"error\",\"message\":\"stream_opt", "ions is not known\"}"]),
        ("application/json", ["{\"success\":false,\"errors\":[\"stream_options\"]}"]),
        ("text/event-stream", [": PROCESSING\n\n", "retry: 3000\n\n", "id: 1\n", "data: \(refusal)\n\n"]),
    ])
    func `a refusal in a good answer is one`(type: String, pieces: [String]) async throws {
        try await run { (fixture, job, call) async throws in
            call.answer(type: type)
            for piece in pieces { call.send(piece.replacing(Self.refusal, with: #"{"error":\#(Self.refusal)}"#)) }
            call.end()
            let second = try #require(await fixture.upstream.next())
            #expect(text(of: second) == #"{"model":"gpt","stream":true}"#)
            second.answer(type: "text/event-stream").send(ScriptedCall.lastEvents).end()
            let answer = try await answer(fixture, job)
            #expect(answer.status == 200 && answer.text == ScriptedCall.lastEvents)
            #expect(try await fixture.members() == [job.insertionID.description])
        }
    }

    /// What is not a refusal passes as it came, an error too.
    @Test(arguments: [
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n", ": stream_options error\n\ndata: 1\n\n",
        "data: {\"error\":{\"message\":\"too many requests\"}}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"stream_options error\"}}]}\n\n",
    ])
    func `another first event is passed on at once`(event: String) async throws {
        try await run { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(event)
            let first = try await fixture.answers.next(of: job)
            #expect(String(decoding: first.body, as: UTF8.self) == event)
            call.send(ScriptedCall.lastEvents).end()
            _ = try await answer(fixture, job)
            #expect(fixture.upstream.count == 1)
        }
    }

    @Test func `it is remembered and the completion counts without a usage`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { forwarder in
                for number in 0..<3 {
                    let job = try await fixture.enqueue(isStream: true, body: Self.sent)
                    var call = try #require(await fixture.upstream.next())
                    #expect(text(of: call).contains("stream_options") == (number == 0))
                    if number == 0 {
                        call.answer(422).send(Self.refusal).end()
                        call = try #require(await fixture.upstream.next())
                    }
                    call.answer(type: "text/event-stream").send(ScriptedCall.lastEvents).end()
                    #expect(try await answer(fixture, job).text == ScriptedCall.lastEvents)
                    await forwarder.jobs.waitUntilEmpty()
                    #expect(try await fixture.span(of: job).level == nil)
                }
                #expect(fixture.upstream.count == 4)
                #expect(try await fixture.members().count == 3)
            }
        }
    }

    @Test func `another refusal is passed on as it came`() async throws {
        for (status, body) in [(400, Self.other), (422, ""), (401, Self.refusal), (500, Self.refusal), (422, "no")] {
            try await run { (fixture, job, call) async throws in
                call.answer(status).send(body).end()
                let answer = try await answer(fixture, job)
                #expect(answer.status == status && answer.text == body)
                #expect(fixture.upstream.count == 1)
                #expect(try await fixture.members().isEmpty)
            }
        }
    }

    @Test func `what the client says of it stands`() async throws {
        let body = #"{"model":"openai/gpt","stream":true,"stream_options":{"include_usage":true}}"#
        try await run(body: body) { (fixture, job, call) async throws in
            call.answer(422).send(Self.refusal).end()
            #expect(try await answer(fixture, job).text == Self.refusal)
            #expect(fixture.upstream.count == 1)
        }
    }

    @Test func `the second refusal is the answer and nothing is remembered`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder { forwarder in
                for _ in 0..<2 {
                    let job = try await fixture.enqueue(isStream: true, body: Self.sent)
                    let call = try #require(await fixture.upstream.next())
                    #expect(text(of: call).contains("stream_options"))
                    call.answer(422).send(Self.refusal).end()
                    try #require(await fixture.upstream.next()).answer(400).send(Self.other).end()
                    let answer = try await answer(fixture, job)
                    #expect(answer.status == 400 && answer.text == Self.other)
                    await forwarder.jobs.waitUntilEmpty()
                }
            }
        }
    }

    /// The rules see the status of a refusal that is not the gateway's fault, and that of the second call.
    @Test func `rules go by what is no fault of the gateways`() async throws {
        let route = Route([
            .init("azure/a", rule: "r", failures: [.status(422)]), .init("aws/b", rule: "r"),
        ])
        try await run(route: route, limits: CallLimits(calls: 2)) { (fixture, job, call) async throws in
            call.answer(422).send(Self.refusal).end()
            let second = try #require(await fixture.upstream.next())
            #expect(!text(of: second).contains("stream_options") && text(of: second).contains(#""a""#))
            second.answer(422).send(Self.other).end()
            let third = try #require(await fixture.upstream.next())
            #expect(text(of: third).contains("stream_options") && text(of: third).contains(#""b""#))
            third.answer(400).send(Self.refusal).end()
            try #require(await fixture.upstream.next()).answer(type: "text/event-stream")
                .send(ScriptedCall.lastEvents).end()
            let answer = try await answer(fixture, job)
            #expect(answer.text == ScriptedCall.lastEvents)
            #expect(answer.headers.first(named: "x-tfy-attempts") == "2")
        }
    }

    @Test func `a refusal that does not end is passed on`() async throws {
        try await run { (fixture, job, call) async throws in
            call.answer(422).send(String(repeating: "x", count: 70 << 10)).pause()
            #expect(try await fixture.answers.next(of: job).head?.status == 422)
            call.send(Self.refusal).end()
            _ = try await answer(fixture, job)
            #expect(fixture.upstream.count == 1)
        }
    }

    @Test func `a call that breaks off within its refusal ends so`() async throws {
        try await run { (fixture, job, call) async throws in
            call.answer(422).send("{").fail(.closedEarly, sent: true)
            #expect(try await answer(fixture, job).status == 502)
            #expect(fixture.upstream.count == 1)
        }
    }
}
