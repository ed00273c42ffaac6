import Common
import Redis
import TestSupport
import Testing
import Upstream

/// Answers in several frames.
@Suite(.timeLimit(.minutes(5))) struct StreamingTests {
    static let streamBody = #"{"model": "openai/gpt", "stream": true}"#
    static let events = UpstreamHead(status: 200, headers: [HeaderField("content-type", "text/event-stream")])
    /// Two events.
    static let (a, b) = (Array("data: a\n\n".utf8), Array("data: b\n\n".utf8))
    static let json = UpstreamHead(status: 200, headers: [HeaderField("content-type", "application/json")])
    static let lost = GatewayError(
        status: 502, type: "server_error", code: "upstream_lost", message: "The provider's answer broke off.")

    /// Opens a stream and hands over the job, the client and the answer's head.
    private func withStream(
        _ head: UpstreamHead = events, change: (inout LiveIngress.Plan) -> Void = { _ in },
        body: (LiveIngress, RawClient, ScriptedForwarder.Taken) async throws -> Void
    ) async throws {
        try await LiveIngress.run(change) { ingress in
            try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, body: Self.streamBody)
                let taken = try await ingress.forwarder.take()
                #expect(taken.job.isStream)
                try await ingress.forwarder.send(
                    ResponseFrame(sequence: 0, head: head, body: Array("data: 0\n\n".utf8)), of: taken)
                #expect(try await client.head().status == 200)
                #expect(try await client.chunk() == Array("data: 0\n\n".utf8))
                try await body(ingress, client, taken)
            }
        }
    }

    @Test func `each piece comes when it is sent and the connection goes on`() async throws {
        try await withStream { ingress, client, taken in
            for number in 1...20 {
                let event = Array("data: \(number)\n\n".utf8)
                try await ingress.forwarder.send(ResponseFrame(sequence: UInt64(number), body: event), of: taken)
                #expect(try await client.chunk() == event)
            }
            try await ingress.forwarder.finish(
                taken, with: ResponseFrame(sequence: 21, body: Array("data: [DONE]\n\n".utf8), end: .complete))
            #expect(try await client.chunk() == Array("data: [DONE]\n\n".utf8))
            #expect(try await client.chunk() == nil)
            #expect(try await client.call("GET", "/health").status == 200)
        }
    }

    @Test func `a stream that breaks off ends with an error event`() async throws {
        try await withStream { ingress, client, taken in
            try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 1, end: .brokenOff(Self.lost)))
            let event = try #require(try await client.chunk())
            #expect(event == Self.lost.serverSentEvent)
            #expect(try await client.chunk() == nil)
        }
    }

    /// A client would read the error as the rest of the event, and understand neither.
    @Test func `a part of an event is not passed on before the error`() async throws {
        try await withStream { ingress, client, taken in
            try await ingress.forwarder.send(
                ResponseFrame(sequence: 1, body: Self.a + Array("data: {".utf8)), of: taken)
            #expect(try await client.chunk() == Self.a)
            try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 2, end: .brokenOff(Self.lost)))
            #expect(try await client.chunk() == Self.lost.serverSentEvent)
            #expect(try await client.chunk() == nil)
        }
    }

    @Test(arguments: [": keep-alive\n", ": keep-alive\n\n", "\n", ":"])
    func `what keeps a stream alive is passed on at once`(text: String) async throws {
        try await withStream { ingress, client, taken in
            try await ingress.forwarder.send(ResponseFrame(sequence: 1, body: Array(text.utf8)), of: taken)
            #expect(try await client.chunk() == Array(text.utf8))
            try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 2, end: .brokenOff(Self.lost)))
            #expect(try await client.chunk() == (text == ":" ? Array("\n\n".utf8) : []) + Self.lost.serverSentEvent)
            #expect(try await client.chunk() == nil)
        }
    }

    /// A body that is not a stream has no place for an error: only a broken connection says that it is not whole.
    @Test func `another body that breaks off ends with a broken connection`() async throws {
        try await withStream(Self.json) { ingress, client, taken in
            try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 1, end: .brokenOff(Self.lost)))
            await #expect(throws: RawClient.Closed.self) { while try await client.chunk() != nil {} }
        }
    }

    @Test func `a frame that comes twice is sent once`() async throws {
        try await withStream { ingress, client, taken in
            for _ in 0..<2 { try await ingress.forwarder.send(ResponseFrame(sequence: 1, body: Self.a), of: taken) }
            try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 2, body: Self.b, end: .complete))
            #expect(try await client.chunk() == Self.a)
            #expect(try await client.chunk() == Self.b)
            #expect(try await client.chunk() == nil)
        }
    }

    /// A frame that Redis lost leaves a hole. The rest must not be glued to what came before.
    @Test func `an answer with a hole breaks off`() async throws {
        try await withStream { ingress, client, taken in
            try await ingress.forwarder.send(ResponseFrame(sequence: 2, body: Array("data: 2\n\n".utf8)), of: taken)
            let event = String(decoding: try #require(try await client.chunk()), as: UTF8.self)
            #expect(event.contains(#""code":"answer_lost""#))
            #expect(try await client.chunk() == nil)
        }
    }

    /// Garbage on the response stream, such as a frame sealed for another job, is passed over.
    @Test func `what is no frame is passed over`() async throws {
        try await withStream { ingress, client, taken in
            let frame = ResponseFrame(sequence: 1, body: [0x78]).wireBytes
            let moved = try ingress.forwarder.envelope.seal(frame, for: .job(taken.job))
            for garbage in [moved, [], Array("garbage".utf8)] {
                _ = try await ingress.redis.send(
                    RedisCommand(
                        "XADD", taken.job.responseKey, "*", "i", taken.job.insertionID.description, "p", garbage))
            }
            _ = try await ingress.redis.send(RedisCommand("XADD", taken.job.responseKey, "*", "q", "w"))
            try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 1, body: Self.b, end: .complete))
            #expect(try await client.chunk() == Self.b)
            #expect(try await client.chunk() == nil)
        }
    }

    /// The ingress's response stream is lost, with a Redis that was emptied, say. Frames are then kept under the job's
    /// own key, and found there.
    @Test func `answers survive the loss of the response stream`() async throws {
        try await withStream { ingress, client, taken in
            _ = try await ingress.redis.send(RedisCommand("DEL", taken.job.responseKey))
            try await ingress.forwarder.send(ResponseFrame(sequence: 1, body: Self.a), of: taken)
            try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 2, body: Self.b, end: .complete))
            var rest: [UInt8] = []
            while let chunk = try await client.chunk() { rest += chunk }
            #expect(rest == Self.a + Self.b)
        }
    }

    /// What a client has taken is told to the forwarder, so that it never sends more than a window ahead.
    @Test func `a reader earns credit at half windows`() async throws {
        let window = 64 << 10
        try await withStream(Self.events, change: { $0.settings.http.maxBufferedBytes = window }) {
            ingress, client, taken in
            let credit = RedisCommand("GET", Keys.credit(taken.job.insertionID))
            let piece = [UInt8](repeating: 0x2E, count: window / 4 - 2) + Array("\n\n".utf8)
            try await ingress.forwarder.send(ResponseFrame(sequence: 1, body: piece), of: taken)
            #expect(try await client.chunk() == piece)
            #expect(try await ingress.redis.send(credit).isNull, "less than half a window is not worth a word")
            try await ingress.forwarder.send(ResponseFrame(sequence: 2, body: piece), of: taken)
            #expect(try await client.chunk() == piece)
            try await eventually { try await ingress.redis.send(credit).int == window / 2 + 9 }
            try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 3, end: .complete))
            #expect(try await client.chunk() == nil)
        }
    }

    /// Nobody answers: the client is told when its time is over, and the job is called off.
    @Test func `an answer that does not come ends at the deadline`() async throws {
        try await LiveIngress.run({ $0.settings.calls.requestTimeout = .milliseconds(50) }) { ingress in
            async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(try await reply.status == 504)
            #expect(try await reply.error?.code == "no_answer_in_time")
            #expect(try await reply["x-should-retry"] == "false")
            try await eventually { try await ingress.isCancelled(taken.job.insertionID) }
        }
    }

    @Test func `a stream that stands still ends at the deadline`() async throws {
        try await withStream(Self.events, change: { $0.settings.calls.requestTimeout = .milliseconds(500) }) {
            ingress, client, taken in
            let event = String(decoding: try #require(try await client.chunk()), as: UTF8.self)
            #expect(event.hasPrefix("data: ") && event.contains("no_answer_in_time"))
            #expect(try await client.chunk() == nil)
            try await eventually { try await ingress.isCancelled(taken.job.insertionID) }
        }
    }
}
