import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Calls that the operator's rules send to several targets.
@Suite(.timeLimit(.minutes(5))) struct RoutedCallTests {
    static let accounts = ["azure", "aws"].map { name in
        var account = ProviderAccount.kind("openai", named: name)
        account.key = SecretString("sk-\(name)")
        return account
    }
    private static let route = Route(
        [
            .init("azure/llama", rule: "balance", failures: [.status(500), .connectError]),
            .init("aws/llama", rule: "balance"),
            .init("openai/last", rule: "fallback"),
        ], fallback: 2, fallbackFailures: [.status(429)])

    private func key(_ call: ScriptedCall) -> String? { call.request.headers.first(named: "authorization") }

    @Test func `the next target is called for what the rule names`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(body: #"{"model":"openai/gpt", "x":1.0}"#, route: Self.route)
            try await fixture.withForwarder(accounts: Self.accounts) { forwarder in
                let first = try #require(await fixture.upstream.next())
                #expect(String(decoding: first.request.body, as: UTF8.self) == #"{"model":"llama", "x":1.0}"#)
                #expect(key(first) == "Bearer sk-azure", "the client's key is for the provider that it named")
                first.answer(500).send("broken").end()
                let second = try #require(await fixture.upstream.next())
                #expect(key(second) == "Bearer sk-aws")
                second.answer(429).send("busy").end()
                let third = try #require(await fixture.upstream.next())
                #expect(String(decoding: third.request.body, as: UTF8.self) == #"{"model":"last", "x":1.0}"#)
                #expect(key(third) == "Bearer sk-client")
                third.answer().send(ScriptedCall.completion).end()
                let frame = try await fixture.answers.next(of: job)
                let head = try #require(frame.head)
                #expect(head.status == 200)
                #expect(head.headers.first(named: "x-tfy-resolved-model") == "openai/last")
                #expect(head.headers.first(named: "x-tfy-attempts") == "3")
                #expect(
                    head.headers.first(named: "x-tfy-applied-configurations")
                        == #"{"load_balance":["balance"],"fallback":["fallback"]}"#)
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 3)
                #expect(try await fixture.members() == [job.insertionID.description])
                let span = try await fixture.span(of: job)
                #expect(
                    span.string("langfuse.observation.metadata.gateway_failed_attempts")
                        == "azure/llama: 500, aws/llama: 429")
                #expect(span.level == nil)
            }
        }
    }

    @Test func `what no rule names is the answer`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(route: Self.route)
            try await fixture.withForwarder(accounts: Self.accounts) { forwarder in
                try #require(await fixture.upstream.next()).answer(503).send("away").end()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 503 && frame.body == Array("away".utf8))
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 1)
                #expect(try await fixture.members().isEmpty)
            }
        }
    }

    @Test func `a connection that fails is one of the failures`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(route: Self.route)
            try await fixture.withForwarder(limits: CallLimits(tries: 1), accounts: Self.accounts) { forwarder in
                try #require(await fixture.upstream.next()).fail(.connect, sent: false)
                try #require(await fixture.upstream.next()).answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 2)
            }
        }
    }

    /// The client gets the last target's answer.
    @Test func `when all targets fail each was called once`() async throws {
        let failures: Set<Route.Failure> = [.status(500)]
        let route = Route(["azure/a", "aws/b", "azure/a", "openai/c"].map { .init($0, rule: "r", failures: failures) })
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(route: route)
            try await fixture.withForwarder(accounts: Self.accounts) { forwarder in
                for place in 1...3 { try #require(await fixture.upstream.next()).answer(500).send("\(place)").end() }
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 500 && frame.body == Array("3".utf8))
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 3)
            }
        }
    }

    @Test func `a stream goes to the next target too`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(
                isStream: true, body: #"{"model":"openai/gpt","stream":true}"#, route: Self.route)
            try await fixture.withForwarder(accounts: Self.accounts) { forwarder in
                try #require(await fixture.upstream.next()).answer(500).send("broken").end()
                try #require(await fixture.upstream.next()).answer(type: "text/event-stream")
                    .send(
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
                    ).end()
                var text = ""
                while true {
                    let frame = try await fixture.answers.next(of: job)
                    text += String(decoding: frame.body, as: UTF8.self)
                    if frame.end != nil { break }
                }
                #expect(text.hasSuffix("data: [DONE]\n\n") && !text.contains("broken"))
                await forwarder.jobs.waitUntilEmpty()
            }
        }
    }

    /// What stands elsewhere than in a JSON body goes where it asks to go.
    @Test func `what cannot be renamed is not routed`() {
        func isRouted(_ body: String, path: String = "/chat/completions", query: String? = nil) -> Bool {
            var job = Job(
                insertionID: InsertionIDGenerator().next(), project: "local", method: "POST", path: path, query: query,
                model: "openai/gpt", deadline: .past, responseKey: "r", body: Array(body.utf8))
            job.route = Self.route
            return RoutedJob(job) { _ throws(GatewayError) in throw .expired } != nil
        }
        #expect(isRouted(#"{"model":"openai/gpt"}"#))
        #expect(!isRouted("model=openai/gpt"))
        #expect(!isRouted(#"{"model":"openai/gpt"}"#, query: "model=openai/gpt"))
        #expect(!isRouted("{}", path: "/openai/deployments/gpt/chat/completions"))
    }

    /// What the client sent for the provider that it named is for that one alone.
    @Test func `the client's query goes to no other provider`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(
                body: #"{"model":"openai/gpt","api_key":"sk-body"}"#, route: Self.route, query: "api_key=secret",
                headers: [HeaderField("openai-organization", "org-client")])
            try await fixture.withForwarder(accounts: Self.accounts) { _ in
                let first = try #require(await fixture.upstream.next())
                #expect(!first.request.url.contains("secret") && key(first) == "Bearer sk-azure")
                #expect(first.request.headers.first(named: "openai-organization") == nil)
                #expect(String(decoding: first.request.body, as: UTF8.self) == #"{"model":"llama"}"#)
                first.answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
            }
        }
    }

    /// A call before may have been paid for, so the client's SDK must not repeat it.
    @Test func `the client is not told to pay twice`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(route: Self.route)
            try await fixture.withForwarder(limits: CallLimits(tries: 1), accounts: Self.accounts) { _ in
                try #require(await fixture.upstream.next()).answer(500).send("broken").end()
                try #require(await fixture.upstream.next()).fail(.connect, sent: false)
                let head = try await fixture.answers.next(of: job).head
                #expect(head?.status == 502 && head?.headers.first(named: "x-should-retry") == "false")
            }
        }
    }
}
