import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Errors of the gateway's own say what was called before them, as answers do.
@Suite(.timeLimit(.minutes(5))) struct ServedErrorTests {
    private static let route = Route(
        [
            .init("azure/llama", rule: "balance", failures: [.status(500), .firstTokenTimeout]),
            .init("aws/llama", rule: "balance", failures: [.connectError]),
            .init("openai/last", rule: "fallback"),
        ], fallback: 2, fallbackFailures: [.timeout])

    /// What a head says of the calls; nil where it says nothing.
    private struct Said: Equatable {
        var model: String?
        var attempts: String?
        var rules: String?

        init(model: String?, attempts: String?, rules: String?) {
            (self.model, self.attempts, self.rules) = (model, attempts, rules)
        }

        init(_ head: UpstreamHead?) {
            model = head?.headers.first(named: "x-tfy-resolved-model")
            attempts = head?.headers.first(named: "x-tfy-attempts")
            rules = head?.headers.first(named: "x-tfy-applied-configurations")
        }
    }

    private static let balanced = #"{"load_balance":["balance"]}"#

    private func head(
        _ route: Route, isStream: Bool = false, options: CallOptions = CallOptions(),
        deadline: Deadline = Deadline(in: .seconds(300)), _ play: (ScriptedUpstream) async throws -> Void
    ) async throws -> UpstreamHead? {
        var head: UpstreamHead?
        try await ForwarderFixture.run { fixture in
            let body = #"{"model":"openai/gpt","stream":\#(isStream)}"#
            let job = try await fixture.enqueue(
                isStream: isStream, deadline: deadline, body: body, route: route, options: options)
            try await fixture.withForwarder(limits: CallLimits(tries: 1), accounts: RoutedCallTests.accounts) { _ in
                try await play(fixture.upstream)
                head = try await fixture.answers.next(of: job).head
            }
        }
        return head
    }

    @Test func `a call without rules`() async throws {
        let head = try await head(Route()) { try #require(await $0.next()).fail(.connect, sent: false) }
        #expect(head?.status == 502 && Said(head) == Said(model: "openai/gpt", attempts: "1", rules: nil))
    }

    @Test func `the second of the targets`() async throws {
        let head = try await head(Self.route) { upstream in
            try #require(await upstream.next()).answer(500).send("broken").end()
            try #require(await upstream.next()).fail(.tls, sent: false)
        }
        #expect(head?.status == 502 && Said(head) == Said(model: "aws/llama", attempts: "2", rules: Self.balanced))
    }

    @Test func `the fallback`() async throws {
        let head = try await head(Self.route) { upstream in
            try #require(await upstream.next()).fail(.idleTimeout, sent: true)
            try #require(await upstream.next()).fail(.idleTimeout, sent: true)
        }
        #expect(head?.status == 504)
        #expect(
            Said(head)
                == Said(
                    model: "openai/last", attempts: "2", rules: #"{"load_balance":["balance"],"fallback":["fallback"]}"#
                ))
    }

    @Test func `a first token that is late everywhere`() async throws {
        let options = CallOptions(firstTokenTimeout: 1)
        let head = try await head(Self.route, isStream: true, options: options) { upstream in
            for _ in 0..<2 { _ = try #require(await upstream.next()) }
        }
        #expect(head?.status == 408 && Said(head) == Said(model: "aws/llama", attempts: "2", rules: Self.balanced))
    }

    /// It is the next target that cannot be called, and no call of it is counted.
    @Test func `a target that is not there`() async throws {
        let route = Route([
            .init("azure/llama", rule: "balance", failures: [.status(500)]), .init("gone/llama", rule: "balance"),
        ])
        let head = try await head(route) { try #require(await $0.next()).answer(500).send("broken").end() }
        #expect(head?.status == 400 && Said(head) == Said(model: "gone/llama", attempts: "1", rules: Self.balanced))
    }

    @Test func `no call was made`() async throws {
        let head = try await head(Route([.init("gone/llama", rule: "balance")])) { #expect($0.count == 0) }
        #expect((head?.status ?? 0) >= 400 && Said(head) == Said(model: nil, attempts: nil, rules: nil))
    }
}
