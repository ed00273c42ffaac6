import Redis
import Subprocess
import TestSupport
import Testing

/// A Redis over TLS whose certificate an authority of the operator's own has signed.
@Suite(.timeLimit(.minutes(5))) struct RedisAuthorityTests {
    @Test func `the authority of the setting is trusted`() async throws {
        let reserved = try ReservedPort()
        defer { reserved.release() }
        try await ProgramFolder.with { folder in
            let made = try await run(
                .name("openssl"),
                arguments: [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=redis-test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    "\(folder.path)/key.pem", "-out", "\(folder.path)/cert.pem",
                ], output: .discarded, error: .string(limit: 4096))
            try #require(made.terminationStatus.isSuccess, "openssl: \(made.standardError)")
            var options = RedisServer.Options()
            options.arguments = [
                "--tls-port", "\(reserved.number)", "--tls-cert-file", "\(folder.path)/cert.pem", "--tls-key-file",
                "\(folder.path)/key.pem", "--tls-ca-cert-file", "\(folder.path)/cert.pem", "--tls-auth-clients", "no",
            ]
            try await withRedisServer(options) { _ in
                var environment = [
                    "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "\(reserved.number)", "REDIS_TLS": "true",
                    "GATEWAY_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "HOST": "127.0.0.1", "PORT": "0",
                ]
                for path in [nil, "cert.pem"] {
                    environment["REDIS_TLS_CA"] = path
                    let ending = try await folder.run(
                        "metadata-gateway", arguments: ["ingress"], environment: environment
                    ) {
                        process in
                        let address = try await process.line(with: "listens on")
                        try await withRawClient(to: try port(in: address)) { client in
                            let reason = path == nil ? "Redis cannot be reached" : "no live forwarder"
                            try await eventually { try await client.call("GET", "/ready").text.contains(reason) }
                        }
                    }
                    #expect(ending.code == 0, "\(ending.output)")
                }
            }
        }
    }

    @Test(
        arguments: [
            ("gone.pem", nil, "there is no such file"), (".", nil, "is not a regular file"),
            ("empty.pem", "", "holds no certificate"), ("text.pem", "no certificate\n", "holds no certificate"),
            (
                "damaged.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "holds no certificate"
            ),
        ] as [(String, String?, String)])
    func `a file without certificates is said at the start`(name: String, text: String?, reason: String) async throws {
        try await ProgramFolder.with { folder in
            if let text { try folder.write(text, to: name) }
            let environment = [
                "REDIS_HOST": "127.0.0.1", "REDIS_TLS": "true", "REDIS_TLS_CA": name,
                "GATEWAY_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ]
            for arguments in [["ingress"], ["check", "--role", "ingress"]] {
                let ending = try await folder.run("metadata-gateway", arguments: arguments, environment: environment)
                #expect(ending.code == 78, "\(ending.output)")
                #expect(ending.output.contains("environment: REDIS_TLS_CA: error:"), "\(ending.output)")
                #expect(ending.output.contains(name) && ending.output.contains(reason), "\(ending.output)")
                #expect(!ending.output.contains("BoringSSL"), "\(ending.output)")
            }
        }
    }
}
