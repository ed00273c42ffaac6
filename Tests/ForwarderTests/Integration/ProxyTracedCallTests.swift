import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Calls whose traces a LiteLLM proxy writes: the gateway keeps no span, and notes that they have ended.
@Suite(.timeLimit(.minutes(5))) struct ProxyTracedCallTests {
    private static let projects = [
        Project(
            name: "local", langfuse: LangfuseKeys(publicKey: SecretString("pk"), secretKey: SecretString("sk")))
    ]

    @Test(arguments: [(200, true, true), (500, true, false), (200, false, false)])
    func `the end of a success is noted`(status: Int, proxyTraces: Bool, isNoted: Bool) async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue()
            try await fixture.withForwarder(
                projects: Self.projects,
                settings: {
                    $0.backends.litellmURL = BaseURL("http://litellm:4000")
                    $0.backends.litellmTraces = proxyTraces
                }
            ) { forwarder in
                let key = Keys.ended(of: Rollout(ForwarderFixture.rollout, project: "local"))
                let call = try #require(await fixture.upstream.next())
                #expect(try await fixture.redis.send(RedisCommand("EXISTS", key)).int == 0)
                call.answer(status).send(ScriptedCall.completion).end()
                #expect(try await fixture.answers.next(of: job).head?.status == status)
                await forwarder.jobs.waitUntilEmpty()
                if isNoted {
                    try await eventually { try await fixture.redis.send(RedisCommand("TTL", key)).int ?? -1 > 0 }
                }
                let noted = try await fixture.redis.send(RedisCommand("SMEMBERS", key)).array?.compactMap(\.string)
                #expect(noted == (isNoted ? [job.insertionID.description] : []))
            }
        }
    }
}
