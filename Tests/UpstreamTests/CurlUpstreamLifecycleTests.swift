import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// Timeouts, cancelling, stopping, and the addresses that a call may reach.
@Suite(.timeLimit(.minutes(5))) struct CurlUpstreamLifecycleTests {
    /// Says nothing, or only the beginning of an answer.
    private static let beginnings = [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody",
    ]

    @Test(arguments: beginnings)
    func `a silent peer is given up`(beginning: String) async throws {
        try await withSilentPeer(beginning) { upstream, url in
            let idle = UpstreamTimeouts(idle: .milliseconds(50))
            let error = try await upstream.failure(of: UpstreamRequest(method: "GET", url: url, timeouts: idle))
            #expect(error?.code == .idleTimeout)
            #expect(error?.requestMayHaveBeenSent == true)
            let total = UpstreamTimeouts(total: .milliseconds(50))
            let late = try await upstream.failure(of: UpstreamRequest(method: "GET", url: url, timeouts: total))
            #expect(late?.code == .totalTimeout)
            #expect(await upstream.inFlight == 0)
        }
    }

    /// Needs real time: longer than a busy machine may keep the peer from running.
    @Test func `a peer that goes on speaking is not idle`() async throws {
        try await Speaker.run(milliseconds: 4_400) { port in
            try await withUpstream { _ in
            } _: { upstream, _ in
                let request = UpstreamRequest(
                    method: "GET", url: "http://127.0.0.1:\(port)/", timeouts: UpstreamTimeouts(idle: .seconds(4)))
                let error = try await upstream.failure(of: request)
                #expect(error == nil)
            }
        }
    }

    @Test func `a peer that does not take part in the handshake is a connect timeout`() async throws {
        try await withUpstream { connection in
            try await connection.closed()
        } _: { upstream, server in
            let request = UpstreamRequest(
                method: "GET", url: "https://127.0.0.1:\(server.port)/",
                timeouts: UpstreamTimeouts(connect: .milliseconds(50)))
            let error = try await upstream.failure(of: request)
            #expect(error?.code == .connectTimeout)
            #expect(error?.requestMayHaveBeenSent == false)
        }
    }

    @Test func `a task that is cancelled before the call sends nothing`() async throws {
        try await withSilentPeer("") { upstream, url in
            let error = await withTaskGroup(of: UpstreamError?.self) { group in
                group.cancelAll()
                group.addTask { try? await upstream.failure(of: UpstreamRequest(method: "GET", url: url)) }
                return await group.next() ?? nil
            }
            #expect(error?.code == .cancelled)
            #expect(error?.requestMayHaveBeenSent == false)
            #expect(await upstream.inFlight == 0)
        }
    }

    @Test(arguments: beginnings)
    func `cancelling while the answer comes aborts the call`(beginning: String) async throws {
        let (asked, gone) = (TestSignal(), TestSignal())
        try await withUpstream { connection in
            _ = try await connection.request()
            if !beginning.isEmpty { try await connection.write(beginning) }
            asked.send()
            try await connection.closed()
            gone.send()
        } _: { upstream, server in
            let error = await withTaskGroup(of: UpstreamError?.self) { group in
                group.addTask { try? await upstream.failure(of: UpstreamRequest(method: "GET", url: server.url())) }
                await asked.wait()
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(error?.code == .cancelled)
            #expect(error?.requestMayHaveBeenSent == true)
            await gone.wait()
            #expect(await upstream.inFlight == 0)
        }
    }

    @Test func `a scope that ends early aborts its call`() async throws {
        let gone = TestSignal()
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody")
            try await connection.closed()
            gone.send()
        } _: { upstream, server in
            let status = try await upstream.withCall(UpstreamRequest(method: "GET", url: server.url())) {
                try await $0.head().status
            }
            #expect(status == 200)
            await gone.wait()
            #expect(await upstream.inFlight == 0)
        }
    }

    @Test func `stopping fails what is in flight and what comes later`() async throws {
        let asked = Counter()
        let allAsked = TestSignal()
        try await withUpstream { connection in
            _ = try await connection.request()
            asked.add(1)
            if asked.value == 20 { allAsked.send() }
            try await connection.closed()
        } _: { upstream, server in
            let codes = await withTaskGroup(of: UpstreamError.Code?.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        (try? await upstream.failure(of: UpstreamRequest(method: "GET", url: server.url())))?.code
                    }
                }
                await allAsked.wait()
                upstream.stop()
                return await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(codes == [.unavailable])
            let later = try await upstream.failure(of: UpstreamRequest(method: "GET", url: server.url()))
            #expect(later?.code == .unavailable)
            #expect(later?.requestMayHaveBeenSent == false)
            #expect(await upstream.inFlight == 0)
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"])
    func `what the name resolves to is checked when the socket is opened`(host: String) async throws {
        try await withUpstream(Self.answerAll) { upstream, server in
            var request = UpstreamRequest(method: "POST", url: server.url(host: host), body: [1])
            request.addresses = .clientChosen(allowLoopback: false, allowPrivate: true)
            let error = try await upstream.failure(of: request)
            #expect(error?.code == .blockedAddress)
            #expect(error?.requestMayHaveBeenSent == false)
            #expect(server.accepted.value == 0)
            request.addresses = .clientChosen(allowLoopback: true, allowPrivate: false)
            #expect(try await upstream.answer(to: request).text == "ok")
        }
    }

    @Test func `a kept connection obeys the policy of the call that finds it`() async throws {
        let asked = Counter()
        try await withUpstream { connection in
            while try await connection.request() != nil {
                asked.add(1)
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        } _: { upstream, server in
            var request = UpstreamRequest(method: "GET", url: server.url())
            #expect(try await upstream.answer(to: request).text == "ok")
            request.addresses = .clientChosen(allowLoopback: false, allowPrivate: false)
            let error = try await upstream.failure(of: request)
            #expect(error?.code == .blockedAddress)
            #expect(error?.requestMayHaveBeenSent == false)
            #expect(asked.value == 1)
        }
    }

    private static let answerAll: ScriptedServer.Script = { connection in
        while try await connection.request() != nil {
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
    }

    private func withSilentPeer(
        _ beginning: String, _ body: @Sendable (CurlUpstream, String) async throws -> Void
    ) async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            if !beginning.isEmpty { try await connection.write(beginning) }
            try await connection.closed()
        } _: { upstream, server in
            try await body(upstream, server.url())
        }
    }
}
