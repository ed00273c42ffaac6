import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// What a call has of its own goes with it, although its handle and its connection serve the next one.
@Suite(.timeLimit(.minutes(5))) struct HandleReuseTests {
    /// A client whose handles have served all calls before answers as one that has served none: byte for byte what the
    /// server saw, or the same error.
    @Test(arguments: 0..<4) func `a used client behaves as a new one`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let requests = (0..<60).map { _ in Self.request(&random) }
        try await withUpstream(Self.echo) { used, server in
            for request in requests {
                var request = request
                request.url = server.url(request.url)
                let new = try CurlUpstream()
                new.start()
                defer { new.stop() }
                let (seen, expected) = try await (Self.outcome(of: request, used), Self.outcome(of: request, new))
                #expect(seen == expected, "\(request)")
            }
            #expect(await used.inFlight == 0)
        }
    }

    @Test func `nothing of a call is sent with the next`() async throws {
        try await withUpstream(Self.echo) { upstream, server in
            let secret = HeaderField("Authorization", "Bearer sk-first")
            var request = UpstreamRequest(method: "POST", url: server.url("/first?key=1"), headers: [secret])
            request.body = Array("first body".utf8)
            let first = try await upstream.answer(to: request)
            #expect(first.text.hasSuffix("first body"))
            let second = try await upstream.answer(to: UpstreamRequest(method: "POST", url: server.url("/second")))
            #expect(second.text.hasPrefix("POST /second HTTP/1.1\r\n"))
            #expect(second.text.contains("Content-Length: 0\r\n"))
            #expect(!second.text.contains("first") && !second.text.contains("Authorization"))
            #expect(server.accepted.value == 1)
        }
    }

    @Test func `time limits are those of the call`() async throws {
        try await withUpstream(Self.echo) { upstream, server in
            for _ in 0..<2 {
                let long = UpstreamRequest(method: "POST", url: server.url("/"))
                let answer = try await upstream.answer(to: long)
                #expect(answer.status == 200)
                var short = UpstreamRequest(method: "POST", url: server.url("/silent"))
                short.timeouts.total = .milliseconds(50)
                let error = try await upstream.failure(of: short)
                #expect(error?.code == .totalTimeout)
            }
        }
    }

    /// Two calls at a time must not share a handle, and a bound of kept handles must not bound the calls.
    @Test func `a handle serves one call at a time`() throws {
        let sockets = SocketRegistry(try EventPoll())
        var handles = CurlHandles(capacity: 2)
        let (post, get) = (Self.kind("POST"), Self.kind("GET"))
        var made: [CurlHandle] = []
        func take(_ kind: CurlHandle.Kind) throws -> CurlHandle {
            try handles.take(kind) { () throws(UpstreamError) in
                made.append(try CurlHandle(kind, .init(), sockets: sockets))
                return made[made.count - 1]
            }
        }
        let taken = try [take(post), take(get), take(post)]
        #expect(made.count == 3)
        for handle in taken { handles.put(handle) }
        #expect(try take(post) === made[2])
        #expect(try take(post) === made[3], "the oldest has made room")
        #expect(try take(get) === made[1])
        #expect(try take(get) === made[4])
    }

    @Test func `handles serve their own kind only`() {
        #expect(Self.kind("POST") == Self.kind("POST"))
        #expect(Self.kind("POST") != Self.kind("PUT"))
        #expect(Self.kind("DELETE") != CurlHandle.Kind(UpstreamRequest(method: "DELETE", url: "http://a/", body: [1])))
        #expect(Self.kind("GET") != CurlHandle.Kind(UpstreamRequest(method: "GET", url: "HTTPS://a/")))
    }
}

extension HandleReuseTests {
    private enum Outcome: Equatable {
        case answer(Answer)
        case failure(UpstreamError)
    }

    private static func kind(_ method: String) -> CurlHandle.Kind {
        CurlHandle.Kind(UpstreamRequest(method: method, url: "http://a/"))
    }

    private static func outcome(of request: UpstreamRequest, _ upstream: CurlUpstream) async throws -> Outcome {
        do { return .answer(try await upstream.answer(to: request)) } catch let error as UpstreamError {
            return .failure(error)
        }
    }

    /// Answers with what it got, on paths of their own also too much, or never.
    private static let echo: ScriptedServer.Script = { connection in
        while let text = try await connection.request() {
            if text.contains(" /silent ") { return try await connection.closed() }
            if text.hasPrefix("HEAD ") {
                try await connection.write("HTTP/1.1 204 No Content\r\nX-Length: \(text.utf8.count)\r\n\r\n")
            } else if text.contains(" /broken ") {
                return try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
            } else {
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
            }
        }
    }

    private static func request(_ random: inout SeededRandom) -> UpstreamRequest {
        let method = random.pick(["POST", "POST", "POST", "GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
        let path = random.pick(["/", "/a", "/b?c=d", "/broken"])
        var request = UpstreamRequest(method: method, url: path)
        let key = HeaderField("Authorization", "Bearer \(random.below(9))")
        let fields = [key, HeaderField("Accept", "x"), HeaderField("X-Empty", "")]
        request.headers = fields.filter { _ in random.chance(oneIn: 2) }
        if random.chance(oneIn: 2) { request.body = Array("body \(random.below(1000))".utf8) }
        request.limits.bodyBytes = random.pick([1 << 20, 1000, 10])
        request.limits.headerBytes = random.pick([1000, 20])
        request.timeouts.connect = .seconds(random.pick([20, 30]))
        request.timeouts.total = .seconds(random.pick([40, 50]))
        let strict = AddressPolicy.clientChosen(allowLoopback: false, allowPrivate: true)
        let local = AddressPolicy.clientChosen(allowLoopback: true, allowPrivate: false)
        request.addresses = random.pick([.operatorChosen, .operatorChosen, local, strict])
        request.connections = ConnectionUse(idleSeconds: random.pick([0, 4, 60]), mustBeFresh: random.chance(oneIn: 5))
        return request
    }
}
