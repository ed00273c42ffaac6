import Common
import JSON
import TestSupport
import Testing

/// `metadata-gateway check --explain`: real processes, with and without a Redis.
@Suite(.timeLimit(.minutes(5))) struct ExplainCommandTests {
    private static let rules = """
        type: gateway-rate-limiting-config
        rules:
          - {id: dev, when: {metadata: {env: dev}, models: [mock/echo]}, limit_to: 5, unit: requests_per_hour}
          - id: ada
            when: {subjects: ["user:ada"], metadata: {plan: pro}, metadata_from: key}
            limit_to: 9
            unit: requests_per_day
        """
    private static let request = #"{"model": "mock/echo", "metadata": {"env": "dev"}}"#

    private func explain(
        in folder: ProgramFolder, _ request: String, _ variables: [String: String]
    ) async throws -> GatewayProcess.Ending {
        try folder.write(request, to: "request.json")
        let environment = ["CONFIG_PATH": "gateway.yaml"].merging(variables) { $1 }
        return try await folder.run(
            "metadata-gateway", arguments: ["check", "--explain", "request.json"], environment: environment)
    }

    /// Nothing runs and nothing can be reached: the rules are explained, usage is not known.
    @Test(arguments: [[:], ["REDIS_HOST": "127.0.0.1", "REDIS_PORT": "9", "GATEWAY_KEY": fleetKey]])
    func `it works from the configuration alone`(variables: [String: String]) async throws {
        try await ProgramFolder.with { folder in
            try folder.write(Self.keys, to: "keys.yaml")
            try folder.write(Self.rules, to: "gateway.yaml")
            let keys = variables.merging(["API_KEYS_PATH": "keys.yaml"]) { $1 }
            let ending = try await explain(in: folder, Self.request, keys)
            #expect(ending.code == 0, "\(ending.output)")
            let page = try JSONObject.scan(Array(ending.output.utf8), maximumDepth: 8)
            #expect(ending.output.contains(#""outcome": "unknown""#) && page.member("rate_limits") != nil)
            #expect(ending.output.contains(#""wants": "one of `user:ada`""#), "the operator sees all")
            #expect(ending.output.contains(#""found": "dev""#) == false && ending.output.contains(#""id": "dev""#))
        }
    }

    private static let fleetKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private static let keys = """
        keys:
          - id: ada-1
            account: team-a
            sha256: \(String(repeating: "0a", count: 32))
            projects: "*"
            user: ada
            metadata: {plan: pro}
        """

    /// A client's key is named by its id, and brings what it says of the client.
    @Test func `a key of a clients is explained`() async throws {
        try await ProgramFolder.with { folder in
            try folder.write(Self.keys, to: "keys.yaml")
            try folder.write(Self.rules, to: "gateway.yaml")
            let variables = ["API_KEYS_PATH": "keys.yaml"]
            let ada = try await explain(in: folder, #"{"model": "m", "key": "ada-1"}"#, variables)
            #expect(ada.code == 0 && ada.output.contains(#""origin": "key""#), "\(ada.output)")
            #expect(ada.output.contains(#""name": "ada""#), "the rule counts")
            let same = try await explain(
                in: folder, #"{"model": "m", "account": "team-a", "user": "ada"}"#, variables)
            #expect(same.code == 0 && !same.output.contains(#""name": "ada""#), "it has not the key's metadata")
            let unknown = try await explain(in: folder, #"{"model": "m", "key": "bob"}"#, variables)
            #expect(unknown.code == 65 && unknown.output.contains("request.json: error: The member `key` names no key"))
            let typo = try await explain(in: folder, #"{"modle": "m"}"#, variables)
            #expect(typo.code == 65 && typo.output.contains("Did you mean `model`?"), "\(typo.output)")
            let forwarder = try await folder.run(
                "metadata-gateway", arguments: ["check", "--role", "forwarder", "--explain", "request.json"])
            #expect(forwarder.code == 64 && forwarder.output.contains("reads no rules"), "\(forwarder.output)")
            let missing = try await folder.run(
                "metadata-gateway", arguments: ["check", "--explain", "nothing.json"],
                environment: variables.merging(["CONFIG_PATH": "gateway.yaml"]) { $1 })
            #expect(missing.code == 78 && missing.output.contains("nothing.json: error: cannot be opened"))
        }
    }

    /// Beside a gateway that runs, it reads that one's counters: of a Redis that is shared, and of `serve`'s own.
    @Test func `it reads the counters of a gateway that runs`() async throws {
        let rules = Self.rules.split(separator: "\n").prefix(3).joined(separator: "\n")
        let used = #""used": 2,"#
        try await GatewayFleet.run(environment: ["CONFIG_PATH": "gateway.yaml"]) { fleet in
            try fleet.folder.write(rules, to: "gateway.yaml")
            try await fleet.serve { _, port in
                try await ask(2, at: port)
                let ending = try await explain(in: fleet.folder, Self.request, fleet.environment)
                #expect(ending.code == 0 && ending.output.contains(used), "\(ending.output)")
                #expect(ending.output.contains(#""outcome": "admitted""#))
            }
        }
        try await ProgramFolder.with { folder in
            try folder.write(rules, to: "gateway.yaml")
            _ = try await folder.serve(environment: ["CONFIG_PATH": "gateway.yaml"]) { _, port in
                try await ask(2, at: port)
                let ending = try await explain(in: folder, Self.request, [:])
                #expect(ending.code == 0 && ending.output.contains(used), "\(ending.output)")
            }
        }
    }

    /// Settings count beside the rules: nothing of the request would stand in a trace.
    @Test func `the setting on logging is told`() async throws {
        try await ProgramFolder.with { folder in
            try folder.write("type: gateway-metadata-config\nkeys: {env: {}}\n", to: "gateway.yaml")
            for (mode, content) in [("NEVER", "withheld"), ("ALWAYS", "whole")] {
                let request = #"{"model": "m", "headers": {"x-tfy-logging-config": "{\"enabled\": false}"}}"#
                let ending = try await explain(in: folder, request, ["REQUEST_LOGGING_MODE": mode])
                #expect(ending.code == 0 && ending.output.contains(#""content": "\#(content)""#), "\(ending.output)")
                #expect(ending.output.contains(#""value": "\#(mode)""#))
            }
        }
    }

    private func ask(_ count: Int, at port: Int) async throws {
        try await withRawClient(to: port) { client in
            for _ in 0..<count {
                let answer = try await client.call(
                    "POST", ServeTests.path, headers: [#"X-TFY-METADATA: {"env":"dev"}"#],
                    body: ServeTests.body("mock/echo"))
                #expect(answer.status == 200)
            }
        }
    }
}
