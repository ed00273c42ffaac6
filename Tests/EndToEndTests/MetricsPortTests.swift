import Common
import Redis
import TestSupport
import Testing

/// The port on which a process without clients shows its metrics.
@Suite(.timeLimit(.minutes(5))) struct MetricsPortTests {
    private static func environment(_ redis: RedisServer) throws -> [String: String] {
        let address = try #require(redis.tcpEndpoint).address
        guard case .tcp(_, let port) = address else { return [:] }
        return [
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "\(port)", "LANGFUSE_HOST": "http://127.0.0.1:9",
            "METRICS_PORT": "0",
            "GATEWAY_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "TRACESTORE_PORT": "0", "HOST": "127.0.0.1",
            "PORT": "0",
        ]
    }

    @Test(arguments: [
        ("forwarder", "gateway_jobs_in_flight 0"), ("verifier", #"gateway_verdicts_total{verdict="complete"} 0"#),
        ("tracestore", "gateway_tracestore_spans_total 0"), ("ingress", "gateway_redis_up 1"),
    ])
    func `each part has the page`(command: String, sample: String) async throws {
        var options = RedisServer.Options()
        options.listensOnTCP = true
        try await withRedisServer(options) { server in
            var environment = try Self.environment(server)
            if command == "tracestore" { environment["LANGFUSE_HOST"] = nil }
            try await ProgramFolder.with { folder in
                let ending = try await folder.run("metadata-gateway", arguments: [command], environment: environment) {
                    process in
                    let port = try port(in: try await process.line(with: "answers /metrics and /health on"))
                    try await withRawClient(to: port) { client in
                        try await eventually {
                            try await client.call("GET", "/metrics").text.contains("\n\(sample)\n")
                        }
                        let page = try await client.call("GET", "/metrics")
                        #expect(page["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
                        #expect(page.text.contains("\nprocess_resident_memory_bytes "))
                        let health = try await client.call("GET", "/health")
                        #expect(health["content-type"] == "application/json")
                        #expect(
                            health.text == #"{"status":"healthy","version":"\#(GatewayVersion.current)"}"#)
                        #expect(try await client.call("GET", "/x").status == 404)
                        #expect(try await client.call("POST", "/metrics").status == 405)
                    }
                    // A page in a browser must not read it under a name of its own (DNS rebinding).
                    try await withRawClient(to: port) { client in
                        try await client.send("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                        #expect(try await client.answer().status == 403)
                    }
                }
                #expect(ending.code == 0, "\(ending.output)")
            }
        }
    }

    @Test func `a port that is taken is named`() async throws {
        var options = RedisServer.Options()
        options.listensOnTCP = true
        try await withRedisServer(options) { server in
            var environment = try Self.environment(server)
            environment["METRICS_PORT"] = environment["REDIS_PORT"]
            try await ProgramFolder.with { folder in
                let ending = try await folder.run("metadata-gateway", arguments: ["verifier"], environment: environment)
                #expect(ending.code == 78)
                #expect(
                    ending.output.contains("METRICS_PORT") && ending.output.contains("already in use"),
                    "\(ending.output)")
            }
        }
    }

    /// Its output is not a terminal: one JSON object an event, unless the operator wants lines.
    @Test(arguments: ["auto", "json", "text"]) func `the log has the form that is wanted`(format: String) async throws {
        try await ProgramFolder.with { folder in
            let environment = ["PORT": "0", "TRACESTORE_PORT": "0", "LOG_FORMAT": format, "LOG_LEVEL": "DEBUG"]
            let ending = try await folder.run("metadata-gateway", arguments: ["serve"], environment: environment) {
                try await $0.line(with: "listens on")
            }
            let events = ending.output.split(separator: "\n").filter { $0.contains("debug") }
            #expect(!events.isEmpty, "\(ending.output)")
            #expect(events.allSatisfy { $0.hasPrefix(#"{"time":""#) && $0.hasSuffix("}") } == (format != "text"))
        }
    }
}
