import NIOPosix
import Subprocess
import TestSupport
import Testing

@testable import Common
@testable import Redis

@Suite(.timeLimit(.minutes(5))) struct RedisTLSTests {
    /// A server that speaks TLS with a certificate of its own for `name` alone.
    private func withTLSServer(name: String, _ body: (RedisEndpoint) async throws -> Void) async throws {
        let port = try ReservedPort()
        defer { port.release() }
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        let made = try await run(
            .name("openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=redis-test",
                "-addext", "subjectAltName=\(name)", "-keyout", "\(folder)/key.pem", "-out", "\(folder)/cert.pem",
            ], output: .discarded, error: .string(limit: 4096))
        try #require(made.terminationStatus.isSuccess, "openssl: \(made.standardError)")
        var options = RedisServer.Options()
        options.arguments = [
            "--tls-port", "\(port.number)", "--tls-cert-file", "\(folder)/cert.pem", "--tls-key-file",
            "\(folder)/key.pem", "--tls-ca-cert-file",
            "\(folder)/cert.pem", "--tls-auth-clients", "no",
        ]
        try await withRedisServer(options) { _ in
            var endpoint = RedisEndpoint(.tcp(host: "localhost", port: port.number))
            endpoint.tls = true
            endpoint.certificateAuthorityPath = "\(folder)/cert.pem"
            try await body(endpoint)
        }
    }

    @Test(arguments: [("DNS:localhost", "localhost"), ("IP:127.0.0.1", "127.0.0.1")])
    func `speaks to a server of the right name`(_ name: String, _ host: String) async throws {
        try await withTLSServer(name: name) { endpoint in
            guard case .tcp(_, let port) = endpoint.address else { return }
            var endpoint = endpoint
            endpoint.address = .tcp(host: host, port: port)
            try await withRedisClient(endpoint) { client in
                let large = [UInt8](repeating: 7, count: 300_000)
                _ = try await client.send(RedisCommand("SET", "k", large))
                #expect(try await client.send(RedisCommand("GET", "k")).bytes == large)
            }
        }
    }

    @Test(arguments: [("DNS:elsewhere.example", true), ("DNS:localhost", false)])
    func `refuses another name and an unknown authority`(_ name: String, _ knowsAuthority: Bool) async throws {
        try await withTLSServer(name: name) { endpoint in
            var endpoint = endpoint
            if !knowsAuthority { endpoint.certificateAuthorityPath = nil }
            let tls = try endpoint.makeTLSContext()
            let error = await #expect(throws: RedisError.self) {
                try await RedisConnection.open(
                    endpoint, tls: tls, eventLoop: MultiThreadedEventLoopGroup.singleton.next(), onMessages: nil)
            }
            #expect(error?.message.contains("failed") == true, "\(error?.message ?? "")")
        }
    }

    @Test func `stops at an unreadable authority`() async throws {
        var endpoint = RedisEndpoint(.tcp(host: "localhost", port: 1))
        endpoint.tls = true
        endpoint.certificateAuthorityPath = "/nonexistent/authority.pem"
        let error = await #expect(throws: RedisError.self) { try await RedisClient(endpoint, logger: .silent).run() }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("/nonexistent/authority.pem") == true)
    }
}
