import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// What a job's end counts on limits on tokens.
@Suite(.timeLimit(.minutes(5))) struct TokenLimitTests {
    private static let reserved = 100
    private static let charge = RateCharge(
        rule: "r", unit: .tokens, counter: "tokens", amount: reserved, limit: 1000, window: 3_600_000, isEnforced: true)

    private func counted(_ fixture: ForwarderFixture) async throws -> Int {
        let sum = try await fixture.redis.send(RedisCommand("HGET", Keys.rateAmounts(Self.charge.counter), "sum"))
        return Int(sum.string ?? "") ?? 0
    }

    @Test(arguments: [true, false]) func `the provider's usage is what counts`(isTraced: Bool) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(charges: [Self.charge])
            #expect(try await counted(fixture) == Self.reserved)
            try await fixture.withForwarder(isTraced: isTraced) { forwarder in
                let call = try #require(await fixture.upstream.next())
                call.answer().send(
                    #"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#
                ).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == 12)
            }
        }
    }

    /// The gateway asks for a stream's usage, which is not for the client.
    @Test func `a stream's usage counts`() async throws {
        try await ForwarderFixture.run { fixture in
            let body = #"{"model":"openai/gpt","stream":true}"#
            let job = try await fixture.enqueue(isStream: true, body: body, charges: [Self.charge])
            try await fixture.withForwarder(isTraced: false) { forwarder in
                let call = try #require(await fixture.upstream.next())
                #expect(String(decoding: call.request.body, as: UTF8.self).contains("include_usage"))
                call.answer(type: "text/event-stream")
                    .send(
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n"
                    )
                    .send(
                        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}\n\ndata: [DONE]\n\n"
                    )
                    .end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == 4)
            }
        }
    }

    /// An answer that does not say what it has used was perhaps paid for.
    @Test(arguments: [200, 500]) func `without a usage the estimate stands`(status: Int) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(charges: [Self.charge])
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer(status).send("{}").end()
                #expect(try await fixture.answers.next(of: job).head?.status == status)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == Self.reserved)
                let mark = "langfuse.observation.metadata.gateway_tokens_estimated"
                #expect(try await fixture.span(of: job).string(mark) == "true")
            }
        }
    }

    @Test(arguments: [true, false]) func `only what reached no provider is given back`(wasSent: Bool) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(charges: [Self.charge])
            try await fixture.withForwarder(limits: CallLimits(tries: 1)) { forwarder in
                try #require(await fixture.upstream.next()).fail(wasSent ? .closedEarly : .connect, sent: wasSent)
                #expect(try await fixture.answers.next(of: job).head?.status == 502)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == (wasSent ? Self.reserved : 0))
            }
        }
    }

    /// The forwarder that was lost may have made the call.
    @Test func `a job whose forwarder died keeps its estimate`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(deadline: Deadline(in: .seconds(300)), charges: [Self.charge])
            _ = try await fixture.lose()
            try await fixture.withForwarder(limits: CallLimits(tries: 1)) { forwarder in
                try #require(await fixture.upstream.next()).fail(.connect, sent: false)
                #expect(try await fixture.answers.next(of: job).head?.status == 502)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == Self.reserved)
            }
        }
    }

    /// A provider may say any number.
    @Test(
        arguments: [
            (#"{"prompt_tokens":9223372036854775807,"completion_tokens":1}"#, reserved),
            (#"{"total_tokens":9223372036854775807}"#, reserved),
            (
                #"{"prompt_tokens":0,"prompt_tokens_details":{"cached_tokens":9223372036854775807,"audio_tokens":2}}"#,
                reserved
            ),
            (#"{"input_tokens":3,"output_tokens":4}"#, 7),
        ]) func `any usage is survived`(usage: String, counts: Int) async throws
    {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(charges: [Self.charge])
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer().send(#"{"choices":[],"usage":\#(usage)}"#).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == counts)
            }
        }
    }

    /// A server of the client's choice cannot use up a limit that others share.
    @Test func `a claim counts no more than the estimate`() async throws {
        #expect(TokensSpent.claimed(input: 1, output: 2, total: 900).count(of: .tokens, estimate: 100) == 100)
        #expect(TokensSpent.claimed(input: 1, output: 2, total: 3).count(of: .tokens, estimate: 100) == 3)
        #expect(TokensSpent.counted(input: .max, output: 1, total: nil).count(of: .tokens, estimate: 100) == nil)
    }
}
