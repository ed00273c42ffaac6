import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// What becomes of a call whose connection was kept from an earlier one.
@Suite(.timeLimit(.minutes(5))) struct KeptConnectionTests {
    /// How a provider ends a connection.
    enum Ending: CaseIterable {
        case end, reset

        fileprivate func play(on connection: ScriptedServer.Connection) async throws {
            switch self {
            case .end: try await connection.halfClose()
            case .reset: try await connection.reset()
            }
        }
    }

    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    /// More than the system's buffers hold, and no two pieces of it alike.
    private static let large = (0..<8 << 20).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8 ^ $0 >> 16) }

    private static func request(
        _ server: ScriptedServer, method: String = "POST", body: [UInt8] = [1], isFresh: Bool = false
    ) -> UpstreamRequest {
        let use = ConnectionUse(idleSeconds: 60, mustBeFresh: isFresh)
        return UpstreamRequest(method: method, url: server.url(), body: body, connections: use)
    }

    /// Answers the first request of the first connection, and plays `second` to its second one; reads a request of
    /// `count` bytes from each further connection.
    private static func withSecond(
        count: Int = 0, _ second: @escaping ScriptedServer.Script,
        _ body: @Sendable (CurlUpstream, ScriptedServer, _ received: Received) async throws -> Void
    ) async throws {
        let (connections, received) = (Counter(), Received())
        try await withUpstream { connection in
            connections.add()
            guard connections.value == 1 else {
                var bytes = try await connection.bytes(atLeast: max(count, 1))
                // The head comes before the body, so as many bytes are not all of it.
                let head = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? 0
                bytes += try await connection.bytes(atLeast: head + count - bytes.count)
                await received.set(bytes)
                return try await connection.write(ok)
            }
            _ = try await connection.request()
            try await connection.write(ok)
            try await second(connection)
        } _: { upstream, server in
            #expect(try await upstream.answer(to: request(server)).text == "ok")
            try await body(upstream, server, received)
        }
    }

    actor Received {
        private(set) var bytes: [UInt8] = []
        func set(_ bytes: [UInt8]) { self.bytes = bytes }
    }

    @Test(arguments: Ending.allCases, ["POST", "PATCH"])
    func `a request that was lost is told apart and not sent again`(ending: Ending, method: String) async throws {
        try await Self.withSecond { connection in
            _ = try await connection.request()
            try await ending.play(on: connection)
        } _: { upstream, server, _ in
            let error = try await upstream.failure(of: Self.request(server, method: method))
            #expect(error?.code == .closedEarly)
            #expect(error?.requestMayHaveBeenSent == true)
            #expect(error?.keptConnectionClosed == true)
            #expect(server.accepted.value == 1)
            #expect(await upstream.inFlight == 0)
        }
    }

    @Test(arguments: Ending.allCases, [1, 64 << 10])
    func `what was read in part goes out whole on a fresh connection`(ending: Ending, read: Int) async throws {
        try await Self.withSecond(count: Self.large.count) { connection in
            _ = try await connection.bytes(atLeast: read)
            try await ending.play(on: connection)
        } _: { upstream, server, received in
            let error = try await upstream.failure(of: Self.request(server, body: Self.large))
            #expect(error?.code == .closedEarly)
            #expect(error?.keptConnectionClosed == true)
            #expect(server.accepted.value == 1)
            #expect(try await upstream.answer(to: Self.request(server, body: Self.large, isFresh: true)).text == "ok")
            #expect(server.accepted.value == 2)
            // The comparison of one truth value: a failure shall not print it all.
            let isWhole = await received.bytes.suffix(Self.large.count).elementsEqual(Self.large)
            #expect(isWhole)
        }
    }

    @Test(arguments: Ending.allCases)
    func `a fresh connection that closes is none that was kept`(ending: Ending) async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await ending.play(on: connection)
        } _: { upstream, server in
            for isFresh in [false, true] {
                let error = try await upstream.failure(of: Self.request(server, isFresh: isFresh))
                #expect(error?.code == .closedEarly)
                #expect(error?.requestMayHaveBeenSent == true)
                #expect(error?.keptConnectionClosed == false)
            }
            #expect(server.accepted.value == 2)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n", "no HTTP\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody",
    ])
    func `a connection that closes after a byte of the answer is another matter`(beginning: String) async throws {
        try await Self.withSecond { connection in
            _ = try await connection.request()
            try await connection.write(beginning)
        } _: { upstream, server, _ in
            let error = try await upstream.failure(of: Self.request(server))
            #expect(error?.requestMayHaveBeenSent == true)
            #expect(error?.keptConnectionClosed == false)
            #expect(server.accepted.value == 1)
        }
    }

    @Test func `a provider that is silent has closed nothing`() async throws {
        try await Self.withSecond { connection in
            try await connection.closed()
        } _: { upstream, server, _ in
            var request = Self.request(server)
            request.timeouts.idle = .milliseconds(50)
            let error = try await upstream.failure(of: request)
            #expect(error?.code == .idleTimeout)
            #expect(error?.keptConnectionClosed == false)
        }
    }

    /// libcurl would send the request into the next kept connection, which the provider may be about to close too.
    @Test func `no other kept connection is tried`() async throws {
        let (asked, both) = (Counter(), TestSignal())
        try await withUpstream { connection in
            _ = try await connection.request()
            asked.add()
            if asked.value == 2 { both.send() }
            await both.wait()
            try await connection.write(Self.ok)
            guard try await connection.request() != nil else { return }
            asked.add()
        } _: { upstream, server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { _ = try await upstream.answer(to: Self.request(server)) } }
                try await group.waitForAll()
            }
            let error = try await upstream.failure(of: Self.request(server))
            #expect(error?.keptConnectionClosed == true)
            #expect(asked.value == 3)
            #expect(server.accepted.value == 2)
        }
    }

    @Test func `a fresh connection is opened beside a kept one, and kept`() async throws {
        try await withUpstream(Self.answerAll) { upstream, server in
            for (isFresh, accepted) in [(false, 1), (true, 2), (false, 2), (true, 3)] {
                let answer = try await upstream.answer(to: Self.request(server, isFresh: isFresh))
                #expect(answer.text == "ok")
                #expect(server.accepted.value == accepted)
            }
        }
    }

    @Test func `with an age of zero each call has a connection of its own, which it closes`() async throws {
        let closed = (0..<3).map { _ in TestSignal() }
        let connections = Counter()
        try await withUpstream { connection in
            let number = connections.value
            connections.add()
            try await Self.answerAll(connection)
            closed[number].send()
        } _: { upstream, server in
            for signal in closed {
                var request = Self.request(server)
                request.connections = ConnectionUse(idleSeconds: 0)
                let answer = try await upstream.answer(to: request)
                #expect(answer.text == "ok")
                await signal.wait()
            }
            #expect(server.accepted.value == 3)
        }
    }

    /// Needs real time, since libcurl reads the clock: a second, for all ages at once. Calls of a short age leave the
    /// connections of others alone.
    @Test func `a connection that was idle for too long is not used again`() async throws {
        let connections = Counter()
        try await withUpstream { connection in
            connections.add()
            let number = connections.value
            while let request = try await connection.request() {
                if request.contains("/slow") { try await connection.pause(milliseconds: 1_100) }
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(number)")
            }
        } _: { upstream, server in
            let calls = [("/", 1, "1"), ("/", 60, "2"), ("/slow", 0, "3"), ("/", 1, "4"), ("/", 60, "2")]
            for (path, age, number) in calls {
                var request = Self.request(server)
                (request.url, request.connections) = (server.url(path), ConnectionUse(idleSeconds: age))
                let answer = try await upstream.answer(to: request)
                #expect(answer.text == number, "\(path), \(age)")
            }
        }
    }

    private static let answerAll: ScriptedServer.Script = { connection in
        while try await connection.request() != nil { try await connection.write(ok) }
    }
}
