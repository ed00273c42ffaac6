import Common
import Redis
import TestSupport
import Testing

/// What a process says about the address on which it listens: which setting to change, and who may come in.
@Suite(.timeLimit(.minutes(5))) struct ListeningTests {
    /// The error names the variables of the port that is taken, and no others.
    @Test(arguments: [("PORT", "HOST, PORT"), ("TRACESTORE_PORT", "TRACESTORE_HOST, TRACESTORE_PORT")])
    func `a port that is taken is named`(variable: String, names: String) async throws {
        var options = RedisServer.Options()
        options.listensOnTCP = true
        try await withRedisServer(options) { server in
            guard case .tcp(_, let taken) = try #require(server.tcpEndpoint).address else { return }
            try await ProgramFolder.with { folder in
                var environment = ["PORT": "0", "TRACESTORE_PORT": "0"]
                environment[variable] = "\(taken)"
                let ending = try await folder.run("metadata-gateway", arguments: ["serve"], environment: environment)
                #expect(ending.code == 78)
                let line = "environment: \(names): cannot listen on 127.0.0.1:\(taken): address already in use"
                #expect(ending.output.contains(line), "\(ending.output)")
                #expect(ending.output.contains("choose another \(variable)"), "\(ending.output)")
            }
        }
    }

    /// Each client that reaches a gateway without keys of its own calls models with the operator's.
    @Test(arguments: [
        (["HOST": "0.0.0.0", "OPENAI_API_KEY": "sk-canary"], true), (["HOST": "0.0.0.0"], false),
        (["OPENAI_API_KEY": "sk-canary"], false),
        (["HOST": "0.0.0.0", "OPENAI_API_KEY": "sk-canary", "API_KEYS_PATH": "keys.yaml"], false),
        (
            [
                "HOST": "0.0.0.0", "LITELLM_URL": "http://127.0.0.1:1", "LITELLM_API_KEY": "sk-canary",
            ], true
        ),
    ])
    func `an open gateway with providers keys warns`(environment: [String: String], warns: Bool) async throws {
        try await ProgramFolder.with { folder in
            let digest = String(repeating: "0a", count: 32)
            try folder.write(
                "keys:\n  - {id: a, account: team, sha256: \(digest), projects: \"*\"}\n", to: "keys.yaml")
            let ending = try await folder.serve(environment: environment) { _, port in
                try await withRawClient(to: port) { client in
                    let ready = try await client.call("GET", "/ready")
                    #expect(ready.status == 200)
                    #expect(ready.text.contains("asks its clients for no key") == warns, "\(ready.text)")
                }
            }
            #expect(ending.output.contains("set API_KEYS_PATH") == warns, "\(ending.output)")
            #expect(!ending.output.contains("sk-canary"))
        }
    }

    /// A lone ingress knows of the forwarders' keys by their heartbeats.
    @Test func `a lone ingress hears of keys`() async throws {
        var options = RedisServer.Options()
        options.listensOnTCP = true
        try await withRedisServer(options) { server in
            guard case .tcp(_, let redis) = try #require(server.tcpEndpoint).address else { return }
            var environment = [
                "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "\(redis)", "HOST": "0.0.0.0", "PORT": "0",
                "GATEWAY_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "LANGFUSE_HOST": "http://127.0.0.1:9",
            ]
            try await ProgramFolder.with { folder in
                let ending = try await folder.run("metadata-gateway", arguments: ["ingress"], environment: environment)
                {
                    ingress in
                    let port = try port(in: try await ingress.line(with: "listens on http://"))
                    for key in ["", "sk-canary"] {
                        environment["OPENAI_API_KEY"] = key
                        let forwarder = try await folder.run(
                            "metadata-gateway", arguments: ["forwarder"], environment: environment
                        ) { _ in
                            try await withRawClient(to: port) { client in
                                try await eventually { try await client.call("GET", "/ready").status == 200 }
                                let ready = try await client.call("GET", "/ready").text
                                #expect(ready.contains("the providers' keys it holds") == !key.isEmpty, "\(ready)")
                            }
                        }
                        #expect(forwarder.code == 0, "\(forwarder.output)")
                    }
                }
                #expect(ending.output.contains("any provider's keys that the forwarders hold"), "\(ending.output)")
            }
        }
    }
}
