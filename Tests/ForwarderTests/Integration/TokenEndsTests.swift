import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// After any end of a job its limits on tokens hold what it has taken: the provider's own count, or the estimate.
@Suite(.timeLimit(.minutes(5))) struct TokenEndsTests {
    private static let reserved = 100
    private static let stream = #"{"model":"openai/gpt","stream":true}"#
    private static let part = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n"

    private static func charge(_ unit: RateCharge.Unit = .tokens, limit: Int = 1_000_000) -> RateCharge {
        RateCharge(
            rule: "r", unit: unit, counter: unit.rawValue, amount: reserved, limit: limit, window: 3_600_000,
            isEnforced: true)
    }

    private func counted(_ fixture: ForwarderFixture, _ unit: RateCharge.Unit = .tokens) async throws -> Int {
        let sum = try await fixture.redis.send(RedisCommand("HGET", Keys.rateAmounts(unit.rawValue), "sum"))
        return Int(sum.string ?? "") ?? 0
    }

    /// Input, output and both are counted apart, and a long question counts although its answer is short.
    @Test func `input and output count apart`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(
                charges: [Self.charge(), Self.charge(.inputTokens), Self.charge(.outputTokens)])
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                let usage = #"{"prompt_tokens":10000,"completion_tokens":1,"total_tokens":10001}"#
                call.answer().send(#"{"choices":[],"usage":\#(usage)}"#).end()
                #expect(try await fixture.answers.next(of: job).head?.status == 200)
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == 10_001)
                #expect(try await counted(fixture, .inputTokens) == 10_000)
                #expect(try await counted(fixture, .outputTokens) == 1)
            }
        }
    }

    @Test func `a stream without a usage counts its estimate`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true, body: Self.stream, charges: [Self.charge()])
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer(type: "text/event-stream")
                    .send(ScriptedCall.lastEvents).end()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == Self.reserved)
                let mark = "langfuse.observation.metadata.gateway_tokens_estimated"
                #expect(try await fixture.span(of: job).string(mark) == "true")
            }
        }
    }

    /// The provider may be paid for what the client did not wait for.
    @Test func `a stream whose client leaves counts its estimate`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true, body: Self.stream, charges: [Self.charge()])
            try await fixture.withForwarder { forwarder in
                let call = try #require(await fixture.upstream.next())
                call.answer(type: "text/event-stream").send(Self.part)
                _ = try await fixture.answers.next(of: job)
                try await JobSignals(redis: fixture.redis).cancel(job.insertionID, life: .seconds(300))
                await call.isLeft()
                await forwarder.jobs.waitUntilEmpty()
                #expect(try await counted(fixture) == Self.reserved)
            }
        }
    }

    /// A stream whose forwarder was lost is not called again, and has taken what is not known.
    @Test func `a stream whose forwarder dies counts its estimate`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(isStream: true, body: Self.stream, charges: [Self.charge()])
            _ = try await fixture.lose()
            _ = try await fixture.redis.send(RedisCommand("SET", Keys.started(job.insertionID), "1"))
            try await fixture.withForwarder { forwarder in
                try await forwarder.reclaim()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.end != nil && frame.end != .complete)
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 0)
                #expect(try await counted(fixture) == Self.reserved)
            }
        }
    }

    /// What never began has taken nothing.
    @Test func `a job that is cancelled before its call is given back`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(charges: [Self.charge()])
            try await JobSignals(redis: fixture.redis).cancel(job.insertionID, life: .seconds(300))
            // Old enough that the forwarder, which was not there to hear it, looks the marker up.
            _ = try await fixture.redis.send(RedisCommand("BLPOP", "nothing", "0.06"))
            try await fixture.withForwarder { _ in
                try await eventually { try await fixture.length(Keys.jobs) == 0 }
                #expect(try await counted(fixture) == 0 && fixture.upstream.count == 0)
            }
        }
    }

    /// An end of a call, and what it adds to the counter.
    private enum End: CaseIterable {
        case usage, largerUsage, none, refusedByProvider, overloaded, broken, unreachable, silent, cut, cancelled

        func play(_ call: ScriptedCall, _ random: inout SeededRandom) -> Int {
            switch self {
            case .usage, .largerUsage:
                let tokens = self == .usage ? random.below(TokenEndsTests.reserved) : 100 + random.below(5000)
                call.answer().send(#"{"choices":[],"usage":{"total_tokens":\#(tokens)}}"#).end()
                return tokens
            case .none: call.answer().send(ScriptedCall.completion).end()
            case .refusedByProvider: call.answer(400).send("{}").end()
            case .overloaded: call.answer(503).send("{}").end()
            case .broken: call.fail(.closedEarly, sent: true)
            case .unreachable:
                call.fail(.connect, sent: false)
                return 0
            case .silent: call.fail(.idleTimeout, sent: true)
            case .cut: call.answer().send("{").fail(.closedEarly, sent: true)
            // By the test, which knows the job.
            case .cancelled: break
            }
            return TokenEndsTests.reserved
        }
    }

    /// Queues so many jobs, each with a mark in its body.
    private func jobs(_ count: Int, in fixture: ForwarderFixture) async throws -> [String: Job] {
        var jobs: [String: Job] = [:]
        for place in 0..<count {
            let body = #"{"model":"openai/gpt","user":"job-\#(place)."}"#
            jobs["job-\(place)."] = try await fixture.enqueue(body: body, charges: [Self.charge()])
        }
        return jobs
    }

    /// Ends the next call, which is one of these jobs', at random.
    /// - Parameter redelivered: jobs whose first forwarder was killed, and may have reached the provider.
    /// - Returns: what it adds to the counter.
    private func end(
        one jobs: [String: Job], redelivered: Set<InsertionID> = [], in fixture: ForwarderFixture,
        _ random: inout SeededRandom
    ) async throws -> Int {
        let call = try #require(await fixture.upstream.next())
        let text = String(decoding: call.request.body, as: UTF8.self)
        let job = try #require(jobs.first { text.contains($0.key) }?.value)
        let end = random.pick(End.allCases)
        let amount = end.play(call, &random)
        if end == .cancelled {
            try await JobSignals(redis: fixture.redis).cancel(job.insertionID, life: .seconds(300))
            await call.isLeft()
        }
        return end == .unreachable && redelivered.contains(job.insertionID) ? Self.reserved : amount
    }

    /// Forwarders are killed with jobs in hand, some behind the first bytes of an answer. The next one ends these
    /// without a call, and makes the others' calls, of which it cannot know whether they were made before.
    @Test func `random ends with killed forwarders add up`() async throws {
        try await ForwarderFixture.run { fixture in
            var random = SeededRandom(seed: 21)
            var (expected, begun, redelivered) = (0, 0, Set<InsertionID>())
            for round in 0..<10 {
                let jobs = try await jobs(10, in: fixture)
                var calls = jobs.count
                let killed = try await fixture.member("killed-\(round)")
                for delivery in try await killed.read(upTo: 1 + random.below(8), wait: .seconds(5)) {
                    let id = try delivery.job(opening: fixture.envelope).insertionID
                    guard random.chance(percent: 50) else {
                        redelivered.insert(id)
                        continue
                    }
                    _ = try await fixture.redis.send(RedisCommand("SET", Keys.started(id), "1"))
                    (begun, calls, expected) = (begun + 1, calls - 1, expected + Self.reserved)
                }
                try await killed.leave()
                try await fixture.withForwarder("\(round)", limits: CallLimits(tries: 1), isTraced: false) { next in
                    try await next.reclaim()
                    for _ in 0..<calls {
                        expected += try await end(one: jobs, redelivered: redelivered, in: fixture, &random)
                    }
                    try await eventually { try await fixture.length(Keys.jobs) == 0 }
                    #expect(try await counted(fixture) == expected, "round \(round)")
                }
            }
            #expect(begun > 10 && redelivered.count > 10 && fixture.upstream.count == 100 - begun)
        }
    }

    /// A thousand jobs that end in any way: their counter holds the sum of what they have taken.
    @Test func `a thousand random ends add up`() async throws {
        try await ForwarderFixture.run { fixture in
            var random = SeededRandom(seed: 20)
            var expected = 0
            // A thousand spans would fill the outbox.
            try await fixture.withForwarder(limits: CallLimits(tries: 1), isTraced: false) { forwarder in
                for round in 0..<20 {
                    let jobs = try await jobs(50, in: fixture)
                    for _ in jobs { expected += try await end(one: jobs, in: fixture, &random) }
                    await forwarder.jobs.waitUntilEmpty()
                    #expect(try await fixture.length(Keys.jobs) == 0)
                    #expect(try await counted(fixture) == expected, "round \(round)")
                }
            }
            #expect(fixture.upstream.count == 1000 && expected > 100_000)
        }
    }
}
