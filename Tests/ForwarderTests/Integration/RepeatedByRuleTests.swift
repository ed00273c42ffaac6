import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Calls that are made again, or in another way, because a rule or the client says so.
@Suite(.timeLimit(.minutes(5))) struct RepeatedByRuleTests {
    private static let retry = Route.Retry(attempts: 2, delay: 0, failures: [.status(500), .timeout])

    private func run(
        _ route: Route = Route(), options: CallOptions = CallOptions(), limits: CallLimits = CallLimits(),
        body: String = #"{"model":"openai/gpt"}"#, isStream: Bool = false, headers: [HeaderField] = [],
        _ test: (ForwarderFixture, Job, TestForwarder) async throws -> Void
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(
                isStream: isStream, body: body, route: route, options: options, headers: headers)
            try await fixture.withForwarder(limits: limits, accounts: RoutedCallTests.accounts) { forwarder in
                try await test(fixture, job, forwarder)
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    @Test func `a target is called again as its rule says`() async throws {
        try await run(Route([.init("azure/a", rule: "r", retry: Self.retry)])) { (fixture, job, _) async throws in
            try #require(await fixture.upstream.next()).answer(500).send("1").end()
            try #require(await fixture.upstream.next()).fail(.idleTimeout, sent: true)
            try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
            let head = try #require(try await fixture.answers.next(of: job).head)
            #expect(head.status == 200 && head.headers.first(named: "x-tfy-attempts") == "3")
            try await eventually { try await fixture.exists(Keys.span(job.insertionID)) }
            let span = try await fixture.span(of: job)
            #expect(
                span.string("langfuse.observation.metadata.gateway_failed_attempts")
                    == "azure/a: 500, azure/a: timeout")
            // One generation, and below it a span an attempt.
            #expect(span.attempts.map { $0["name"] as? String } == ["attempt 1", "attempt 2", "attempt 3"])
            #expect(span.attempts.allSatisfy { $0["parentSpanId"] as? String == span.object["spanId"] as? String })
            #expect(Set(span.attempts.compactMap { $0["spanId"] as? String }).count == 3)
            let codes = span.attempts.map { ($0["status"] as? [String: Int])?["code"] }
            #expect(codes == [2, 2, 1])
        }
    }

    @Test func `the client may ask for it`() async throws {
        try await run(options: CallOptions(retry: Self.retry)) { (fixture, job, _) async throws in
            for _ in 0..<3 { try #require(await fixture.upstream.next()).answer(500).send("no").end() }
            let frame = try await fixture.answers.next(of: job)
            #expect(frame.head?.status == 500 && frame.body == Array("no".utf8))
            #expect(fixture.upstream.count == 3)
        }
    }

    @Test func `without a rule nothing is repeated`() async throws {
        try await run { (fixture, job, _) async throws in
            try #require(await fixture.upstream.next()).answer(500).send("no").end()
            #expect(try await fixture.answers.next(of: job).head?.status == 500)
            #expect(fixture.upstream.count == 1)
        }
    }

    @Test func `a rule changes the request`() async throws {
        let changes = Route.Changes(
            members: [.init("temperature", json: "0.2"), .init("stop", json: #"["a"]"#)],
            headers: [HeaderField("x-team", "search"), HeaderField("accept", "text/plain")],
            removedHeaders: ["openai-beta"])
        let route = Route([
            .init("openai/gpt", rule: "r", failures: [.status(500)], changes: changes), .init("azure/b", rule: "r"),
        ])
        let body = #"{"model":"openai/gpt", "temperature": 1, "messages": []}"#
        let headers = [HeaderField("openai-beta", "x"), HeaderField("accept", "application/json")]
        try await run(route, body: body, headers: headers) { (fixture, job, _) async throws in
            let first = try #require(await fixture.upstream.next())
            #expect(
                String(decoding: first.request.body, as: UTF8.self)
                    == #"{"model":"gpt", "temperature": 0.2, "messages": [],"stop":["a"]}"#)
            #expect(first.request.headers.first(named: "x-team") == "search")
            #expect(first.request.headers.first(named: "openai-beta") == nil)
            #expect(first.request.headers.filter { $0.name == "accept" }.map(\.value) == ["text/plain"])
            #expect(first.request.headers.first(named: "authorization") == "Bearer sk-client")
            first.answer(500).end()
            let second = try #require(await fixture.upstream.next())
            #expect(
                String(decoding: second.request.body, as: UTF8.self)
                    == #"{"model":"b", "temperature": 1, "messages": []}"#, "the next target has its own")
            #expect(second.request.headers.first(named: "openai-beta") == "x")
            second.answer().send(ScriptedCall.completion).end()
            #expect(try await fixture.answers.next(of: job).head?.status == 200)
        }
    }

    enum Way: CaseIterable {
        case refused, reset, silent, ttft, s401, s402, s404, s408, s429, s500, s503

        var failure: Route.Failure {
            switch self {
            case .refused, .reset: .connectError
            case .silent: .timeout
            case .ttft: .firstTokenTimeout
            case .s401: .status(401)
            case .s402: .status(402)
            case .s404: .status(404)
            case .s408: .status(408)
            case .s429: .status(429)
            case .s500: .status(500)
            case .s503: .status(503)
            }
        }

        func happens(to call: ScriptedCall) {
            switch self {
            case .refused: call.fail(.connect, sent: false)
            case .reset: call.fail(.closedEarly, sent: true)
            case .silent: call.fail(.idleTimeout, sent: true)
            case .ttft: call.answer(type: "text/event-stream").send(": nothing yet\n\n")
            default: if case .status(let status) = failure { call.answer(status).send("no").end() }
            }
        }

        var status: Int {
            switch self {
            case .refused, .reset: 502
            case .silent: 504
            case .ttft: 408
            default: if case .status(let status) = failure { status } else { 0 }
            }
        }
    }

    /// A failure sends the call to the next target if the rule lists it, and else is the answer (rules.md's pain 19).
    @Test(arguments: Way.allCases, [true, false])
    func `a failure goes where the rule says`(way: Way, isListed: Bool) async throws {
        let all = Set(Way.allCases.map(\.failure))
        let failures: Set<Route.Failure> = isListed ? [way.failure] : all.subtracting([way.failure])
        let route = Route([.init("azure/a", rule: "r", failures: failures), .init("aws/b", rule: "r")])
        let options = CallOptions(firstTokenTimeout: way == .ttft ? 50 : nil)
        let isStream = way == .ttft
        let body = isStream ? #"{"model":"openai/gpt","stream":true}"# : #"{"model":"openai/gpt"}"#
        try await run(route, options: options, limits: CallLimits(tries: 1), body: body, isStream: isStream) {
            (fixture, job, forwarder) async throws in
            way.happens(to: try #require(await fixture.upstream.next()))
            if isListed {
                let second = try #require(await fixture.upstream.next())
                second.answer(type: isStream ? "text/event-stream" : "application/json")
                    .send(isStream ? ScriptedCall.lastEvents : ScriptedCall.completion).end()
            }
            let frame = try await fixture.answers.next(of: job)
            #expect(frame.head?.status == (isListed ? 200 : way.status))
            await forwarder.jobs.waitUntilEmpty()
            #expect(fixture.upstream.count == (isListed ? 2 : 1))
            #expect(try await fixture.members().isEmpty == !isListed)
        }
    }
}
