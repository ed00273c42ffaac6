import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Calls to models that the default provider lists, by a forwarder at work.
@Suite(.timeLimit(.minutes(5))) struct DefaultProviderCallTests {
    private static func accounts() throws -> [ProviderAccount] {
        [try .server("http://lab:8000/v1", named: "lab", key: "lab-key")]
    }

    @Test func `a listed model is called and the list is asked for once`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder(
                accounts: Self.accounts(), settings: { $0.backends.defaultProvider = "lab" }
            ) {
                forwarder in
                for round in 1...2 {
                    let job = try await fixture.enqueue(
                        model: "meta-llama/Llama-3", body: #"{"model":"meta-llama/Llama-3","x":1.0}"#)
                    if round == 1 {
                        let question = try #require(await fixture.upstream.next())
                        #expect(question.request.url == "http://lab:8000/v1/models")
                        question.answer().send(#"{"data":[{"id":"meta-llama/Llama-3"}]}"#).end()
                    }
                    let call = try #require(await fixture.upstream.next())
                    #expect(call.request.url == "http://lab:8000/v1/chat/completions")
                    #expect(
                        String(decoding: call.request.body, as: UTF8.self) == #"{"model":"meta-llama/Llama-3","x":1.0}"#
                    )
                    call.answer().send(ScriptedCall.completion).end()
                    #expect(try await fixture.answers.next(of: job).head?.status == 200)
                    await forwarder.jobs.waitUntilEmpty()
                }
                #expect(fixture.upstream.count == 3)
            }
        }
    }

    @Test func `a model that is not listed is refused without a call`() async throws {
        try await ForwarderFixture.run { fixture in
            try await fixture.withForwarder(
                accounts: Self.accounts(), settings: { $0.backends.defaultProvider = "lab" }
            ) {
                forwarder in
                let job = try await fixture.enqueue(model: "opnai/gpt-4o", body: #"{"model":"opnai/gpt-4o"}"#)
                try #require(await fixture.upstream.next()).answer(401).send("{}").end()
                let frame = try await fixture.answers.next(of: job)
                #expect(frame.head?.status == 400)
                #expect(String(decoding: frame.body, as: UTF8.self).contains("Did you mean `openai/…`?"))
                await forwarder.jobs.waitUntilEmpty()
                #expect(fixture.upstream.count == 1)
                #expect(try await fixture.members().isEmpty)
            }
        }
    }
}
