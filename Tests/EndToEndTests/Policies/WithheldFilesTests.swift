import Common
import FoundationEssentials
import Redis
import Subprocess
import TestSupport
import Testing

/// Rules and modes of logging in `serve`, whose own forwarder gets jobs and answers without Redis.
@Suite(.timeLimit(.minutes(5)), .serialized) struct WithheldFilesTests {
    private static let off = #"X-TFY-LOGGING-CONFIG: {"enabled": false}"#
    private static let rules = """
        type: gateway-logging-config
        rules:
          - {id: legal, when: {metadata: {team: legal}}, log: false}
          - {id: mail, log: true, redact_with: {presets: [email], custom_patterns: ["EMP-[0-9]+"]}}
        """

    private func ask(_ text: String, headers: [String], stream: Bool = false, port: Int) async throws {
        try await withRawClient(to: port) { client in
            let answer = try await client.call(
                "POST", ServeTests.path, headers: headers, body: ServeTests.body("mock/echo", text, stream: stream))
            #expect(answer.status == 200, "\(answer.text)")
            #expect(stream || answer.text.contains(text), "the client gets it as it is")
        }
    }

    /// ALWAYS stands before a client's no, and a rule of the operator's before ALWAYS. Redaction is for the trace
    /// alone.
    @Test func `a rule stands before the mode and the mode before the client`() async throws {
        try await ProgramFolder.with { folder in
            try folder.write(Self.rules, to: "gateway.yaml")
            let environment = ["CONFIG_PATH": "gateway.yaml", "REQUEST_LOGGING_MODE": "ALWAYS", "LOG_LEVEL": "trace"]
            let ending = try await folder.serve(environment: environment) { _, port in
                try await ask("always-canary of ada@example.org, EMP-77", headers: [Self.off], port: port)
                try await ask("legal-canary", headers: [#"X-TFY-METADATA: {"team": "legal"}"#], port: port)
                try await ask(
                    "legal-canary", headers: [#"X-TFY-METADATA: {"team": "legal"}"#], stream: true, port: port)
                let verdict = try await RolloutTests.get("/v1/rollouts/demo?wait=60", port: port).text
                #expect(verdict.contains(#""verdict":"complete","expected":3"#), "\(verdict)")
                let traces = try await RolloutTests.get("/traces?tags=rollout_id:demo", port: port).text
                #expect(traces.contains("always-canary of [redacted], [redacted]"), "\(traces)")
                #expect(traces.contains(#""total_traces":3"#))
                #expect(!traces.contains("ada@example.org") && !traces.contains("EMP-77"))
                #expect(!traces.contains("legal-canary") && traces.contains(#""gateway_content":"withheld""#))
            }
            #expect(ending.code == 0 && !ending.output.contains("canary"), "\(ending.output)")
            for (name, bytes) in try folder.contents() {
                #expect(bytes.firstRange(of: Array("legal-canary".utf8)) == nil, "\(name)")
                #expect(bytes.firstRange(of: Array("ada@example.org".utf8)) == nil, "\(name)")
            }
        }
    }

    /// Before its file is rewritten Redis has the request sealed, under a key that the gateway's key opens; afterwards
    /// it has none.
    @Test func `the gateway's key opens nothing after a rewrite`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { _, port in
                try await withRedisClient(folder.redis) { redis in
                    _ = try await redis.send(RedisCommand("CONFIG", "SET", "aof-use-rdb-preamble", "no"))
                    try await RedisFiles.rewrite(over: redis)
                    try await ask("file-canary", headers: [Self.off], port: port)
                    try await ask("file-canary", headers: [Self.off], stream: true, port: port)
                    try await eventually { try await redis.send(RedisCommand("XLEN", Keys.jobs)).int == 0 }
                    let key = try #require(
                        try folder.contents()["data/gateway.key"].flatMap {
                            GatewayKey(base64: String(decoding: $0.filter { $0 > 0x20 }, as: UTF8.self))
                        })
                    let files = { try RedisFiles(in: folder.path + "/data", key: key) }
                    let canary = Array("file-canary".utf8)
                    #expect(try !files().opened.contains { $0.firstRange(of: canary) != nil })
                    #expect(try files().openedInTwoSteps.contains { $0.firstRange(of: canary) != nil })
                    try await RedisFiles.rewrite(over: redis)
                    let after = try files()
                    #expect(!(after.opened + after.openedInTwoSteps).contains { $0.firstRange(of: canary) != nil })
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    /// What the document shows can be started with; what a proxy would not keep cannot.
    @Test func `check reads the rules`() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "docs/policies.md"), encoding: .utf8)
        let block = try #require(document.split(separator: "```").first { $0.hasPrefix("yaml\n# logging.yaml\n") })
        let example = try String(contentsOf: root.appending(path: "gateway.yaml.example"), encoding: .utf8)
        try await ProgramFolder.with { folder in
            for text in [String(block.dropFirst("yaml\n".count)), example] {
                try folder.write(text, to: "gateway.yaml")
                let good = try await folder.run(
                    "metadata-gateway", arguments: ["check"], environment: ["CONFIG_PATH": "gateway.yaml"])
                #expect(good.code == 0 && good.output.contains("is good"), "\(good.output)")
            }
            try folder.write(Self.rules, to: "gateway.yaml")
            let proxy = [
                "LITELLM_URL": "http://litellm:4000", "LITELLM_TRACES": "true",
                "LANGFUSE_HOST": "https://langfuse.example",
            ]
            for (environment, lines) in [
                (
                    ["CONFIG_PATH": "gateway.yaml"],
                    ["gateway.yaml:3:5: error: the rule `legal` cannot be kept", "gateway.yaml:4:5: error: the rule"]
                ),
                (
                    ["REQUEST_LOGGING_MODE": "NEVER"],
                    ["REQUEST_LOGGING_MODE: error: cannot be NEVER with LITELLM_TRACES"]
                ),
            ] {
                for command in ["check", "serve"] {
                    let bad = try await folder.run(
                        "metadata-gateway", arguments: [command], environment: proxy.merging(environment) { $1 })
                    #expect(bad.code == 78 && lines.allSatisfy { bad.output.contains($0) }, "\(bad.output)")
                }
            }
        }
    }
}
