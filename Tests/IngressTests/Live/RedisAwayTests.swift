import Common
import TestSupport
import Testing

/// Redis stops answering, or is gone: new requests are refused in time, waiting ones wait, and all goes on by itself.
@Suite(.timeLimit(.minutes(5)), .serialized) struct RedisAwayTests {
    /// Longer than a Redis that answers may take on a busy machine.
    private static let commandTimeout = Duration.seconds(2)
    /// The timeout, and what a busy machine may add. Nothing else that a request waits for is as short.
    private static let inTime = commandTimeout + .seconds(4)

    private static func patience(_ plan: inout LiveIngress.Plan) {
        plan.settings.redis.commandTimeout = commandTimeout
        plan.redis.isDurable = true
    }

    private func expectRefusal(_ ingress: LiveIngress) async throws -> HTTPAnswer {
        let start = ContinuousClock.now
        let answer = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
        #expect(start.duration(to: .now) < Self.inTime)
        #expect(answer.status == 503)
        #expect(answer.error?.code == "queue_unavailable")
        let seconds = try #require(answer["retry-after"].flatMap { Int($0) })
        #expect((1...60).contains(seconds))
        return answer
    }

    private func expectUnready(_ ingress: LiveIngress) async throws {
        let start = ContinuousClock.now
        let answer = try await ingress.call("GET", "/ready")
        #expect(start.duration(to: .now) < Self.inTime)
        #expect(answer.status == 503 && answer.text.contains("Redis cannot be reached"))
        #expect(try await ingress.call("GET", "/health").status == 200, "alive all the same")
    }

    /// The longest wait for Redis leaves room within the second in which a request has to be refused.
    @Test func `the default wait is shorter than a second`() {
        #expect(Settings(role: .ingress).redis.commandTimeout < .milliseconds(900))
    }

    /// Runs `body` while an answer is under way, whose end is sent afterwards and must arrive.
    private func whileACallWaits(on ingress: LiveIngress, _ body: () async throws -> Void) async throws {
        try await ingress.connect { client in
            try await client.send(
                "POST", LiveIngress.path.replacing("r1", with: "early"), body: StreamingTests.streamBody)
            let taken = try await ingress.forwarder.take()
            try await ingress.forwarder.send(
                ResponseFrame(sequence: 0, head: StreamingTests.events, body: StreamingTests.a), of: taken)
            #expect(try await client.head().status == 200)
            #expect(try await client.chunk() == StreamingTests.a)
            try await body()
            let last = ResponseFrame(sequence: 1, body: StreamingTests.b, end: .complete)
            try await eventually { (try? await ingress.forwarder.finish(taken, with: last)) != nil }
            #expect(try await client.chunk() == StreamingTests.b)
            #expect(try await client.chunk() == nil)
        }
    }

    @Test func `a Redis that stands still is waited for in vain only once`() async throws {
        try await LiveIngress.run(Self.patience) { ingress in
            try await whileACallWaits(on: ingress) {
                ingress.server.pause()
                let refused = try await expectRefusal(ingress)
                #expect(
                    refused["x-should-retry"] == "false",
                    "the command is on its way, and a forwarder may be faster than what calls it off")
                try await expectUnready(ingress)
                #expect(try await expectRefusal(ingress)["x-should-retry"] == nil, "nothing was sent")
                ingress.server.resume()
                // The command may have been executed after all: then its job is called off.
                let id = try #require(refused["x-insertion-id"].flatMap { InsertionID($0) })
                try await eventually { (try? await ingress.isCancelled(id)) == true }
            }
            try await eventually { try await ingress.call("GET", "/ready").status == 200 }
        }
    }

    @Test func `a Redis that dies and comes back is used again`() async throws {
        try await LiveIngress.run(Self.patience) { ingress in
            try await whileACallWaits(on: ingress) {
                ingress.server.kill()
                _ = try await expectRefusal(ingress)
                try await expectUnready(ingress)
                try await ingress.server.start()
            }
            try await eventually { try await ingress.call("GET", "/ready").status == 200 }
            async let next = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await next.status == 200)
        }
    }
}
