import Common
import Queue
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// After which answers a request that is made again is a new job.
@Suite(.timeLimit(.minutes(5))) struct RepetitionTests {
    private func isKnown(after status: Int, headers: [HeaderField] = []) async throws -> Bool {
        var isKnown = false
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(idempotencyKey: "key")
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).answer(status, headers).send(ScriptedCall.completion).end()
                await forwarder.jobs.waitUntilEmpty()
            }
            isKnown = try await fixture.exists(try #require(job.idempotency?.key))
        }
        return isKnown
    }

    @Test(arguments: [200, 201, 400, 401, 404, 422]) func `an answer that stands is kept`(status: Int) async throws {
        #expect(try await isKnown(after: status))
    }

    @Test(arguments: [408, 409, 429, 500, 503, 529]) func `a failure that may pass is not`(status: Int) async throws {
        #expect(try await !isKnown(after: status))
    }

    /// The provider's word counts more than the status.
    @Test func `what the provider says of it counts`() async throws {
        #expect(try await isKnown(after: 500, headers: [HeaderField("x-should-retry", "false")]))
        #expect(try await !isKnown(after: 400, headers: [HeaderField("x-should-retry", "true")]))
    }

    @Test func `a call that may have been made is kept`() async throws {
        try await ForwarderFixture.run { fixture in
            let job = try await fixture.enqueue(idempotencyKey: "key")
            try await fixture.withForwarder { forwarder in
                try #require(await fixture.upstream.next()).fail(.closedEarly, sent: true)
                await forwarder.jobs.waitUntilEmpty()
            }
            #expect(try await fixture.exists(try #require(job.idempotency?.key)))
        }
    }
}
