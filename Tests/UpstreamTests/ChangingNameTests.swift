import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// A name that means one address when the ingress looks at the URL, and another when the forwarder connects.
@Suite(.timeLimit(.minutes(5))) struct ChangingNameTests {
    private static let name = "changing.example"
    private static let strict = AddressPolicy.clientChosen(allowLoopback: false, allowPrivate: false)
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

    /// Lends an upstream whose resolver says of the name whatever `addresses` holds, and a server that the name can
    /// lead to.
    private func withResolver(
        _ body: @Sendable (CurlUpstream, ScriptedServer, _ addresses: NIOLockedValueBox<String>) async throws -> Void
    ) async throws {
        try await ScriptedServer.run { connection in
            while try await connection.request() != nil { try await connection.write(Self.ok) }
        } _: { server in
            let addresses = NIOLockedValueBox("")
            var configuration = CurlConfiguration()
            configuration.resolver = { [port = server.port] in
                ["\(Self.name):\(port):\(addresses.withLockedValue { $0 })"]
            }
            let upstream = try CurlUpstream(configuration)
            upstream.start()
            defer { upstream.stop() }
            try await body(upstream, server, addresses)
        }
    }

    private func request(_ server: ScriptedServer, _ addresses: AddressPolicy) throws -> UpstreamRequest {
        let url = try ClientBaseURL(server.url("", host: Self.name), addresses: addresses).description
        var request = UpstreamRequest(method: "POST", url: url + "/chat/completions", body: [1])
        request.addresses = addresses
        return request
    }

    /// The name itself is beyond reproach, so the ingress lets it in. What it leads to when the connection is opened is
    /// refused, and nothing is sent.
    @Test(arguments: [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fd00:ec2::254]", "0.0.0.0",
        "127.0.0.1,[::1]",
    ])
    func `a good name that leads to a forbidden address is refused at the connection`(address: String) async throws {
        try await withResolver { upstream, server, addresses in
            addresses.withLockedValue { $0 = address }
            let error = try await upstream.failure(of: request(server, Self.strict))
            #expect(error?.code == .blockedAddress)
            #expect(error?.requestMayHaveBeenSent == false)
            #expect(server.accepted.value == 0)
        }
    }

    /// Loopback stands for the public address: a test reaches no other.
    @Test func `a name that was good once is judged anew with each connection`() async throws {
        let policy = AddressPolicy.clientChosen(allowLoopback: true, allowPrivate: false)
        try await withResolver { upstream, server, addresses in
            addresses.withLockedValue { $0 = "127.0.0.1" }
            #expect(try await upstream.answer(to: request(server, policy)).text == "ok")
            addresses.withLockedValue { $0 = "10.0.0.1" }
            let error = try await upstream.failure(of: request(server, policy))
            #expect(error?.code == .blockedAddress)
            addresses.withLockedValue { $0 = "127.0.0.1" }
            #expect(try await upstream.answer(to: request(server, policy)).text == "ok")
            #expect(server.accepted.value == 2)
        }
    }

    /// A resolver may name several: each is judged by itself, and a forbidden one hides no good one.
    @Test(arguments: ["169.254.169.254,127.0.0.1", "127.0.0.1,10.0.0.1"])
    func `of several addresses only the allowed ones are tried`(both: String) async throws {
        try await withResolver { upstream, server, addresses in
            addresses.withLockedValue { $0 = both }
            let answer = try await upstream.answer(
                to: request(server, .clientChosen(allowLoopback: true, allowPrivate: false)))
            #expect(answer.text == "ok")
        }
    }
}
