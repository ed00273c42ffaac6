import Common
import TestSupport
import Testing

/// The command line: help, version, and `check`.
@Suite(.timeLimit(.minutes(5))) struct CommandTests {
    @Test(arguments: ["metadata-gateway", "CustomGateway"]) func `the version is printed`(program: String) async throws
    {
        try await ProgramFolder.with { folder in
            let ending = try await folder.run(program, arguments: ["--version"])
            #expect(ending.code == 0 && ending.output == GatewayVersion.current + "\n")
        }
    }

    @Test(arguments: [[], ["serve"], ["ingress"], ["forwarder"], ["check"]]) func `help says what a command does`(
        command: [String]
    ) async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.run("metadata-gateway", arguments: command + ["--help"])
            #expect(ending.code == 0)
            #expect(ending.output.contains("OVERVIEW: ") && ending.output.contains("USAGE: metadata-gateway"))
            if command.isEmpty {
                for name in ["serve", "ingress", "forwarder", "check"] { #expect(ending.output.contains("  \(name) ")) }
            }
        }
    }

    @Test(arguments: [["bogus"], ["serve", "--bogus"], ["check", "--role", "bogus"]])
    func `a wrong command line is refused`(
        arguments: [String]
    ) async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.run("metadata-gateway", arguments: arguments)
            #expect(ending.code == 64, "EX_USAGE")
            #expect(ending.output.contains("bogus"))
        }
    }

    /// A mistake that shows only as the command runs is told with the usage of that command.
    @Test(arguments: [
        ["wait", "r", "--url", "nowhere"], ["wait"], ["traces", "r", "--out", "/nonexistent/folder/x"],
        ["rollouts", "--url", "ftp://x"], ["logs", "--limit", "0"], ["check", "--role", "verifier", "--explain", "x"],
    ])
    func `the usage is the command's own`(arguments: [String]) async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.run(
                "metadata-gateway", arguments: arguments, environment: ["GATEWAY_URL": "http://127.0.0.1:1"])
            #expect(ending.code == 64, "\(ending.output)")
            #expect(ending.output.contains("Usage: metadata-gateway \(arguments[0]) "), "\(ending.output)")
            #expect(ending.output.contains("See 'metadata-gateway \(arguments[0]) --help'"), "\(ending.output)")
        }
    }

    /// `wait` and `traces` agree on a rollout of which nothing is known.
    @Test(arguments: ["", "/v1"]) func `an unknown rollout cannot be told of`(ending path: String) async throws {
        try await ProgramFolder.with { folder in
            _ = try await folder.serve { _, port in
                let url = "http://127.0.0.1:\(port)\(path)"
                for arguments in [["wait", "none", "--timeout", "1"], ["traces", "none", "--out", "out.jsonl"]] {
                    let ending = try await folder.run("metadata-gateway", arguments: arguments + ["--url", url])
                    #expect(ending.code == 2, "\(ending.output)")
                    #expect(ending.output.contains("No completion of rollout `none` is known"), "\(ending.output)")
                }
            }
        }
    }

    @Test func `a good configuration is good`() async throws {
        try await ProgramFolder.with { folder in
            try folder.write(
                "langfuse_keys:\n  main:\n    public_key: pk-lf-1\n    secret_key: sk-lf-1\ndefault_project_id: main\n",
                to: "secrets.yaml")
            let digest = String(repeating: "0a", count: 32)
            try folder.write(
                "keys:\n  - id: a\n    account: team\n    sha256: \(digest)\n    projects: [main]\n", to: "keys.yaml")
            let ending = try await folder.run(
                "metadata-gateway", arguments: ["check"], environment: ["API_KEYS_PATH": "keys.yaml"])
            #expect(ending.code == 0 && ending.output.contains("is good"), "\(ending.output)")
        }
    }

    /// Each mistake with its file, line and column, and without the secret.
    @Test(arguments: [
        (
            "secrets.yaml", "langfuse_keys:\n  main:\n    public_key: pk-lf-1\n    secret_kez: sk-lf-canary\n",
            "secrets.yaml:4:5: error:"
        ),
        ("secrets.yaml", "langfuse_keys: [\n", "secrets.yaml:2:1: error:"),
        (
            "keys.yaml", "keys:\n  - id: a\n    account: t\n    sha256: sk-lf-canary\n    projects: \"*\"\n",
            "keys.yaml:4:13: error:"
        ),
    ])
    func `amistake is shown with its place`(name: String, text: String, place: String) async throws {
        try await ProgramFolder.with { folder in
            try folder.write(text, to: name)
            let environment = ["SECRETS_PATH": "secrets.yaml", "API_KEYS_PATH": "keys.yaml"].filter { $0.value == name }
            let ending = try await folder.run("metadata-gateway", arguments: ["check"], environment: environment)
            #expect(ending.code == 78)
            #expect(ending.output.contains(place), "\(ending.output)")
            #expect(!ending.output.contains("sk-lf-canary"))
        }
    }

    /// The operator's rules are told with all else, and a part that has no use for them does not read them.
    @Test func `check shows all mistakes of the rules`() async throws {
        try await ProgramFolder.with { folder in
            let head = "type: gateway-metadata-config\n"
            try folder.write("keys: [\n", to: "keys.yaml")
            let rules = head + "mod: x\nrules:\n  - {id: a, when: {subjects: [user:u]}, gateway_metadata: {a: b}}\n"
            try folder.write(rules + "---\ntype: gateway-logging-config\n", to: "gateway.yaml")
            let environment = ["CONFIG_PATH": "gateway.yaml", "PORT": "x"]
            let bad = try await folder.run("metadata-gateway", arguments: ["check"], environment: environment)
            #expect(bad.code == 78)
            let parts = [
                "PORT: error", "gateway.yaml:2:1: error", "gateway.yaml:4:31: error: no client is known",
                "gateway.yaml:6:1: error",
            ]
            for part in parts {
                #expect(bad.output.contains(part), "\(bad.output)")
            }
            let tracestore = try await folder.run(
                "metadata-gateway", arguments: ["check", "--role", "tracestore"],
                environment: ["CONFIG_PATH": "gateway.yaml"])
            #expect(tracestore.code == 0, "\(tracestore.output)")
            try folder.write(head, to: "gateway.yaml")
            let good = try await folder.run(
                "metadata-gateway", arguments: ["check"], environment: ["CONFIG_PATH": "gateway.yaml"])
            #expect(good.code == 0, "\(good.output)")
        }
    }

    @Test func `check reads the configuration of any part`() async throws {
        try await ProgramFolder.with { folder in
            let bad = try await folder.run("metadata-gateway", arguments: ["check", "--role", "ingress"])
            #expect(bad.code == 78 && bad.output.contains("REDIS_HOST") && bad.output.contains("GATEWAY_KEY"))
            let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
            let good = try await folder.run(
                "metadata-gateway", arguments: ["check", "--role", "ingress"],
                environment: ["REDIS_HOST": "r", "GATEWAY_KEY": key])
            #expect(good.code == 0, "\(good.output)")
        }
    }
}
