import Ingress
import TestSupport
import Testing

@testable import Common
@testable import Redis

/// `Idempotency-Key`: a request that is sent again is the same job.
@Suite(.timeLimit(.minutes(5))) struct IdempotencyTests {
    private static let key = ["Idempotency-Key: 0a1b-2c3d"]
    private static let body = LiveIngress.body

    private func ask(
        _ ingress: LiveIngress, _ path: String = LiveIngress.path, headers: [String] = key, body: String = body
    ) async throws -> HTTPAnswer {
        try await ingress.call("POST", path, headers: headers, body: body)
    }

    @Test func `the same request is the same job while it runs and afterwards`() async throws {
        try await LiveIngress.run { ingress in
            async let first = ask(ingress)
            let taken = try await ingress.forwarder.take()
            async let second = ask(ingress)
            // The second one must be there while the job runs, which its being waited for shows.
            try await ingress.connect { client in
                try await eventually { try await client.call("GET", "/health").text.contains(#""waiting":2,"#) }
            }
            try await ingress.forwarder.answer(taken, status: 201, body: "{}")
            for answer in [try await first, try await second, try await ask(ingress)] {
                #expect(answer.status == 201 && answer.text == "{}")
                #expect(answer["x-insertion-id"] == taken.job.insertionID.description)
            }
            #expect(try await ingress.queued() == 0)
            #expect(try await ingress.redis.send(RedisCommand("SMEMBERS", "r1")).array?.count == 1)
        }
    }

    @Test func `another request under the same key is refused`() async throws {
        try await LiveIngress.run { ingress in
            async let first = ask(ingress)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await first.status == 200)
            let before = try await ingress.keys()
            for (path, body) in [
                (LiveIngress.path, Self.body + " "),
                (LiveIngress.path.replacing("row_id/7", with: "row_id/8"), Self.body),
                (LiveIngress.path + "?x=1", Self.body), ("/chat/completions", Self.body),
            ] {
                let answer = try await ask(ingress, path, body: body)
                #expect(
                    answer.status == 422 && answer.error?.code == "idempotency_key_reused"
                        && answer["x-should-retry"] == "false")
            }
            #expect(try await ingress.keys() == before)
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `a key is its projects alone`() async throws {
        try await LiveIngress.run { ingress in
            for path in [LiveIngress.path, "/project_id/sibling" + LiveIngress.path] {
                async let answer = ask(ingress, path)
                try await ingress.forwarder.answer(next: 1) { $0.project }
                #expect(try await answer.text == (path == LiveIngress.path ? "main" : "sibling"))
            }
        }
    }

    @Test func `a background job is found again`() async throws {
        try await LiveIngress.run { ingress in
            let headers = Self.key + ["Prefer: respond-async"]
            let first = try await ask(ingress, headers: headers)
            let again = try await ask(ingress, headers: headers)
            #expect(first.status == 202 && again.status == 202)
            #expect(first["location"] == again["location"] && first["x-insertion-id"] == again["x-insertion-id"])
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await ingress.queued() == 0)
            #expect(try await ask(ingress, headers: headers).text.contains(#""status":"completed""#))
            #expect(try await ask(ingress).text == "{}", "waiting for it is the same request")
        }
    }

    /// The client's next attempt must find it.
    @Test func `the job goes on without its client`() async throws {
        try await LiveIngress.run { ingress in
            let taken = try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, headers: Self.key, body: Self.body)
                return try await ingress.forwarder.take()
            }
            try await ingress.untilNobodyWaits()
            #expect(try await !ingress.isCancelled(taken.job.insertionID))
            async let again = ask(ingress)
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await again.text == "{}")
        }
    }

    @Test func `is known for a day`() async throws {
        try await LiveIngress.run { ingress in
            async let answer = ask(ingress)
            let taken = try await ingress.forwarder.take()
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await answer.status == 200)
            let id = taken.job.insertionID
            for key in [Keys.response(id), Keys.jobRecord(id), try #require(taken.job.idempotency?.key)] {
                let life = try await ingress.redis.send(RedisCommand("TTL", key)).int ?? 0
                #expect((86_000...87_000).contains(life), "\(key)")
            }
        }
    }

    /// Neither the client's key nor the request can be read from what is kept.
    @Test func `nothing of it stands in Redis`() async throws {
        try await LiveIngress.run { ingress in
            async let answer = ask(ingress)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await answer.status == 200)
            let key = try #require(try await ingress.keys().first { $0.hasPrefix("gateway/idempotency/") })
            #expect(!key.contains("0a1b-2c3d") && key.count == "gateway/idempotency/".count + 64)
        }
    }

    @Test(arguments: [
        ["Idempotency-Key:"], ["Idempotency-Key: a b"], ["Idempotency-Key: a", "Idempotency-Key: a"],
        ["Idempotency-Key: ü"],
        ["Idempotency-Key: " + String(repeating: "a", count: 256)],
    ]) func `a bad key is refused`(headers: [String]) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ask(ingress, headers: headers)
            #expect(
                answer.status == 400 && answer.error?.code == "invalid_idempotency_key"
                    && answer.error?.param == "idempotency-key")
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `the longest key is taken`() async throws {
        try await LiveIngress.run { ingress in
            async let answer = ask(ingress, headers: ["Idempotency-Key: " + String(repeating: "~", count: 255)])
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await answer.status == 200)
        }
    }
}
