import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// The beginning of an answer is held back while a rule can still send its call elsewhere (rules.md's pain 18).
@Suite(.timeLimit(.minutes(5))) struct HeldResponseTests {
    private static let route = Route([
        .init("azure/a", rule: "r", failures: [.streamError, .errorInSuccess, .status(429)]), .init("aws/b", rule: "r"),
    ])
    private static let role =
        #"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"# + "\n\n"
    private static let content =
        #"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"# + "\n\n"
    private static let error = #"data: {"error":{"message":"overloaded"}}"# + "\n\n"

    private func run(
        route: Route = route, options: CallOptions = CallOptions(), limits: CallLimits = CallLimits(),
        isStream: Bool = true, _ test: (ForwarderFixture, Job, ScriptedCall) async throws -> Void
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let body = isStream ? #"{"model":"openai/gpt","stream":true}"# : #"{"model":"openai/gpt"}"#
            let job = try await fixture.enqueue(isStream: isStream, body: body, route: route, options: options)
            try await fixture.withForwarder(limits: limits, accounts: RoutedCallTests.accounts) { forwarder in
                let call = try #require(await fixture.upstream.next())
                try await test(fixture, job, call)
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    /// The whole answer, and how it ended.
    private func rest(_ fixture: ForwarderFixture, _ job: Job) async throws -> (text: String, end: ResponseFrame.End?) {
        var text = ""
        while true {
            let frame = try await fixture.answers.next(of: job)
            text += String(decoding: frame.body, as: UTF8.self)
            if let end = frame.end { return (text, end) }
        }
    }

    private static let beginnings = [
        role, ": keepalive\n\n", "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n",
        "data: {\"type\":\"response.created\",\"response\":{}}\n\n", "",
    ]

    @Test(arguments: beginnings)
    func `an error before the content is the next targets turn`(beginning: String) async throws {
        try await run { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(beginning + Self.error).end()
            let second = try #require(await fixture.upstream.next())
            #expect(try await !fixture.exists(Keys.started(job.insertionID)), "nothing has left")
            second.answer(type: "text/event-stream").send(Self.role).send(ScriptedCall.lastEvents).end()
            let (text, end) = try await rest(fixture, job)
            #expect(text == Self.role + ScriptedCall.lastEvents && end == .complete, "one clean stream")
            try await eventually { try await fixture.exists(Keys.span(job.insertionID)) }
            let span = try await fixture.span(of: job)
            #expect(
                span.string("langfuse.observation.metadata.gateway_failed_attempts") == "azure/a: stream_error")
            #expect(span.level == nil)
        }
    }

    @Test func `a stream that breaks before its content is the next targets turn`() async throws {
        try await run { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(Self.role).fail(.closedEarly, sent: true)
            try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send(ScriptedCall.lastEvents)
                .end()
            #expect(try await rest(fixture, job).text == ScriptedCall.lastEvents)
        }
    }

    @Test func `a stream that ends without content is the next targets turn`() async throws {
        try await run { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(Self.role).send("data: [DONE]\n\n").end()
            // A role and `[DONE]` are a completion, if an empty one.
            #expect(try await rest(fixture, job).text == Self.role + "data: [DONE]\n\n")
            #expect(fixture.upstream.count == 1)
        }
        try await run { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(": nothing\n\n").end()
            try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send(ScriptedCall.lastEvents)
                .end()
            #expect(try await rest(fixture, job).text == ScriptedCall.lastEvents)
        }
    }

    @Test func `the status within an error counts too`() async throws {
        var route = Self.route
        route.steps[0].failures = [.status(429)]
        try await run(route: route) { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(Self.role).send("data: {\"error\":{\"code\":429}}\n\n").end()
            try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send(ScriptedCall.lastEvents)
                .end()
            #expect(try await rest(fixture, job).text == ScriptedCall.lastEvents)
        }
        try await run(route: route) { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(Self.role).send(Self.error).end()
            #expect(try await rest(fixture, job).text == Self.role + Self.error, "what no rule lists is passed on")
            #expect(fixture.upstream.count == 1)
        }
    }

    @Test func `after content an error is the answers`() async throws {
        try await run { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(Self.role).send(Self.content)
            #expect(
                String(decoding: try await fixture.answers.next(of: job).body, as: UTF8.self) == Self.role
                    + Self.content)
            #expect(try await fixture.exists(Keys.started(job.insertionID)))
            call.send(Self.error).end()
            #expect(try await rest(fixture, job).text == Self.error)
            #expect(fixture.upstream.count == 1)
            #expect(try await fixture.members().isEmpty)
        }
    }

    @Test func `an error in a body of success is the next targets turn`() async throws {
        try await run(isStream: false) { (fixture, job, call) async throws in
            call.answer().send(#"{"error":{"message":"overloaded"}}"#).end()
            try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
            #expect(try await rest(fixture, job).text == ScriptedCall.completion)
        }
    }

    @Test func `a target is called again for it too`() async throws {
        let retry = Route.Retry(attempts: 1, delay: 0, failures: [.streamError])
        try await run(route: Route([.init("azure/a", rule: "r", retry: retry)])) { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(Self.error).end()
            try #require(await fixture.upstream.next()).answer(type: "text/event-stream").send(ScriptedCall.lastEvents)
                .end()
            #expect(try await rest(fixture, job).text == ScriptedCall.lastEvents)
        }
    }

    /// Without a rule the first byte leaves at once.
    @Test func `without a rule nothing is held`() async throws {
        try await run(route: Route()) { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(Self.role)
            #expect(String(decoding: try await fixture.answers.next(of: job).body, as: UTF8.self) == Self.role)
            call.send(ScriptedCall.lastEvents).end()
            _ = try await rest(fixture, job)
        }
    }

    @Test func `what is held is bounded`() async throws {
        try await run(limits: CallLimits(holdBytes: 10)) { (fixture, job, call) async throws in
            call.answer(type: "text/event-stream").send(Self.role)
            #expect(String(decoding: try await fixture.answers.next(of: job).body, as: UTF8.self) == Self.role)
            call.send(Self.error).end()
            #expect(try await rest(fixture, job).text == Self.error, "no call follows what has left")
            #expect(fixture.upstream.count == 1)
        }
    }
}
