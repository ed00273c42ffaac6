import Common
import InMemoryLogging
import Logging
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Calls whose kept connection the provider closed without an answer.
@Suite(.timeLimit(.minutes(5))) struct RepeatedCallTests {
    private static let mark = "langfuse.observation.metadata.gateway_possibly_paid_twice"

    @Test func `the call is made once more on a fresh connection and marked`() async throws {
        let log = InMemoryLogHandler()
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder(logger: Logger(label: "test") { _ in log }) { forwarder in
                let first = try #require(await fixture.upstream.next())
                #expect(!first.request.connections.mustBeFresh && first.request.connections.idleSeconds == 4)
                first.closeKeptConnection()
                let second = try #require(await fixture.upstream.next())
                #expect(second.request.connections.mustBeFresh)
                #expect(second.request.body == first.request.body && second.request.url == first.request.url)
                #expect(second.request.headers == first.request.headers)
                #expect(second.request.timeouts.total <= first.request.timeouts.total, "within the same time")
                second.answer().send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 2)
                #expect(try await fixture.members() == [job.insertionID.description])
                let span = try await fixture.span(of: job)
                #expect(span.string("gateway.possibly_paid_twice") == "true" && span.string(Self.mark) == "true")
                #expect(span.level == nil && span.statusCode == 1)
            }
        }
        let entry = try #require(log.entries.first { $0.message.description.contains("perhaps paid twice") })
        #expect(entry.level == .notice)
        #expect(!"\(log.entries)".contains("sk-client"))
    }

    @Test func `the second time is the last`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).closeKeptConnection()
                try #require(await fixture.upstream.next()).closeKeptConnection()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 502 && frame.head?.headers.first(named: "x-should-retry") == "false")
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 2)
                #expect(try await fixture.members().isEmpty)
                #expect(try await fixture.span(of: job).string(Self.mark) == "true")
            }
        }
    }

    /// The repeated call has not been made, so it may be tried again, and the first one may have been paid for.
    @Test func `the repeated call may fail to connect`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder { _ in
                try #require(await fixture.upstream.next()).closeKeptConnection()
                try #require(await fixture.upstream.next()).fail(.connect, sent: false)
                let third = try #require(await fixture.upstream.next())
                #expect(third.request.connections.mustBeFresh)
                third.fail(.connect, sent: false)
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 502 && frame.head?.headers.first(named: "x-should-retry") == "false")
                #expect(fixture.upstream.count == 3)
            }
        }
    }

    @Test(arguments: [(3, false), (1, true)])
    func `an account and the attempts can forbid it`(_ attempts: Int, _ repeats: Bool) async throws {
        var account = ProviderAccount.kind("openai", named: "openai")
        account.repeatsOnClosedConnection = repeats
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder(limits: CallLimits(tries: attempts), accounts: [account]) { forwarder in
                try #require(await fixture.upstream.next()).closeKeptConnection()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 502 && frame.head?.headers.first(named: "x-should-retry") == "false")
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 1)
                let span = try await fixture.span(of: job)
                #expect(span.string(Self.mark) == nil && span.statusCode == 2)
            }
        }
    }

    @Test func `a cancelled job is not repeated`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                try await JobSignals(redis: fixture.redis).cancel(job.insertionID, life: .seconds(300))
                await call.isLeft()
                call.closeKeptConnection()
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 1)
            }
        }
    }
}
