import Common
import Hummingbird
import Ingress
import Redis
import TestSupport
import Testing

/// The client goes away.
@Suite(.timeLimit(.minutes(5))) struct DisconnectTests {
    /// How a client may leave.
    enum Way: String, Sendable, CaseIterable {
        case closes, halfCloses

        func leave(_ client: RawClient) async throws {
            switch self {
            case .closes: try await client.close()
            case .halfCloses: client.halfClose()
            }
        }
    }

    @Test(arguments: Way.allCases) func `a job that has not started is called off`(way: Way) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, body: LiveIngress.body)
                try await eventually { try await ingress.queued() == 1 }
                try await way.leave(client)
                try await ingress.untilNobodyWaits()
                let id = try await ingress.forwarder.take().job.insertionID
                try await eventually { try await ingress.isCancelled(id) }
            }
        }
    }

    @Test(arguments: Way.allCases) func `a call in flight is called off`(way: Way) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, body: StreamingTests.streamBody)
                let taken = try await ingress.forwarder.take()
                try await ingress.forwarder.send(
                    ResponseFrame(sequence: 0, head: StreamingTests.events, body: StreamingTests.a), of: taken)
                _ = try await client.head()
                #expect(try await client.chunk() == StreamingTests.a)
                try await way.leave(client)
                try await eventually { try await ingress.isCancelled(taken.job.insertionID) }
                try await ingress.untilNobodyWaits()
            }
        }
    }

    /// The forwarder is told how much of the answer the client had: whole events, since a part of one is held back.
    @Test(arguments: Way.allCases) func `a client that leaves is counted what it has`(way: Way) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                // An answer before it on the same connection counts for nothing.
                try await client.send("POST", LiveIngress.path, body: LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in String(repeating: "x", count: 1000) }
                _ = try await client.answer()
                try await client.send("POST", LiveIngress.path, body: StreamingTests.streamBody)
                let taken = try await ingress.forwarder.take()
                let half = Array("data: half".utf8)
                try await ingress.forwarder.send(
                    ResponseFrame(sequence: 0, head: StreamingTests.events, body: StreamingTests.a + half), of: taken)
                _ = try await client.head()
                #expect(try await client.chunk() == StreamingTests.a)
                try await way.leave(client)
                try await eventually { try await ingress.isCancelled(taken.job.insertionID) }
                let marker = try await ingress.redis.send(RedisCommand("GET", Keys.cancelled(taken.job.insertionID)))
                    .string
                #expect(marker == "1 \(StreamingTests.a.count)")
            }
        }
    }

    /// The signal comes at once to a forwarder that listens.
    @Test func `the forwarder is told`() async throws {
        try await LiveIngress.run { ingress in
            try await withRedisSubscriber(ingress.server.endpoint, channels: [Keys.cancellations]) { events in
                var events = events.makeAsyncIterator()
                #expect(await events.next() == .subscribed)
                let id = try await ingress.connect { client in
                    try await client.send("POST", LiveIngress.path, body: LiveIngress.body)
                    return try await ingress.forwarder.take().job.insertionID
                }
                guard case .messages(let messages)? = await events.next() else {
                    Issue.record("no message")
                    return
                }
                #expect(messages.map { String(decoding: $0.payload, as: UTF8.self) } == ["\(id) 0"])
            }
        }
    }

    @Test func `with finish a call goes on`() async throws {
        try await LiveIngress.run({ $0.settings.http.onDisconnect = .finish }) { ingress in
            let taken = try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, body: LiveIngress.body)
                return try await ingress.forwarder.take()
            }
            try await ingress.untilNobodyWaits()
            try await ingress.forwarder.answer(taken, body: "{}")
            async let next = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await next.status == 200)
            #expect(try await !ingress.isCancelled(taken.job.insertionID))
        }
    }

    /// The next requests of a pipelining client wait unread; its going away is seen all the same, as far as they fit
    /// into the socket's buffer.
    @Test func `a pipelining client that leaves is noticed`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                for _ in 0..<100 { try await client.send("POST", LiveIngress.path, body: LiveIngress.body) }
                let id = try await ingress.forwarder.take().job.insertionID
                try await client.close()
                try await eventually { try await ingress.isCancelled(id) }
                try await ingress.untilNobodyWaits()
                #expect(try await ingress.queued() == 1, "what it sent further is not begun")
            }
        }
    }

    /// A body that ends with its connection, or with the sending side of it, is a part of a body.
    @Test(arguments: Way.allCases, ["Transfer-Encoding: chunked\r\n\r\n%\r\n#\r\n", "Content-Length: 100\r\n\r\n#"])
    func `a body that is not whole is not queued`(way: Way, framing: String) async throws {
        try await LiveIngress.run { ingress in
            for target in [LiveIngress.path, "/audio/transcriptions"] {
                try await ingress.connect { client in
                    let size = String(LiveIngress.body.utf8.count, radix: 16)
                    let rest = framing.replacing("%", with: size).replacing("#", with: LiveIngress.body)
                    try await client.send("POST \(target) HTTP/1.1\r\nHost: g\r\nContent-Type: audio/wav\r\n" + rest)
                    try await way.leave(client)
                    let last = await client.untilClosed()
                    #expect(last.isEmpty || String(decoding: last, as: UTF8.self).contains("malformed_request"))
                }
            }
            try await eventually { try await ingress.call("GET", "/health").text.contains(#""connections":1}"#) }
            #expect(try await ingress.call("GET", "/health").text.contains(#""waiting":0,"#))
            #expect(try await ingress.queued() == 0)
            #expect(try await ingress.keys() == [Keys.jobs])
        }
    }

    /// A client that leaves while a hook still works on its request: nothing is queued.
    @Test func `who leaves before the queue is never queued`() async throws {
        struct Slow: ChatHook {
            let began: TestSignal
            let goOn: TestSignal
            let ended: TestSignal
            func prepare(_ call: inout ChatCall) async throws {
                began.send()
                await goOn.wait()
                ended.send()
            }
        }
        let hook = Slow(began: TestSignal(), goOn: TestSignal(), ended: TestSignal())
        try await LiveIngress.run({ $0.extensions.chatHooks = [hook] }) { ingress in
            try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, body: LiveIngress.body)
                await hook.began.wait()
            }
            try await eventually { try await ingress.call("GET", "/health").text.contains(#""connections":1}"#) }
            hook.goOn.send()
            await hook.ended.wait()
            // The ingress's next job comes behind whatever the first request still did.
            try await ingress.connect { client in
                try await client.send("POST", "/chat/completions", body: LiveIngress.body)
                let taken = try await ingress.forwarder.take()
                #expect(taken.job.rollout == nil, "the first job in the queue is not the abandoned one")
            }
        }
    }
}
