import Common
import Crypto
import FoundationEssentials
import Redis
import TestSupport
import Testing

/// Audit rows of real processes: what is done to a gateway can be read afterwards, by those whom it concerns.
@Suite(.timeLimit(.minutes(5))) struct AuditTests {
    private struct Row: Decodable {
        var kind: String
        var actor: String
        var projectId: String?
        var account: String?
        var subject: String?
        var details: Details
    }

    private struct Details: Decodable {
        var sha256Before, sha256After, sha256Refused, sha256InForce: String?
        var added, removed, changed, places: [String]?
        var problems, count: Int?
        var exampleInsertionId: String?
    }

    private struct Page: Decodable { var data: [Row] }

    private static let secrets = """
        langfuse_keys:
          red: {public_key: pk-lf-canary-red, secret_key: sk-lf-canary-red}
          blue: {public_key: pk-lf-canary-blue, secret_key: sk-lf-canary-blue}
        default_project_id: red
        """
    private static let environment = [
        "SECRETS_PATH": "secrets.yaml", "API_KEYS_PATH": "keys.yaml", "CONFIG_PATH": "gateway.yaml",
        "LANGFUSE_HOST": "embedded",
    ]

    private static func sha256(_ text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined()
    }

    /// Entries of the file of keys, each with whatever else it has.
    private static func keys(_ entries: (id: String, more: String)...) -> String {
        "keys:\n"
            + entries.map { id, more in
                "  - {id: \(id), account: team-\(id), sha256: \(sha256("sk-canary-\(id)")), \(more)}\n"
            }.joined()
    }

    private static let firstKeys = keys(
        ("red", "projects: [red], metadata: {team: value-canary}"), ("blue", "projects: [blue]"),
        ("admin", "projects: \"*\", admin: true"))

    private static func rules(_ rules: String) -> String { "type: gateway-rate-limiting-config\nrules:\n" + rules }

    private static let firstRules = rules(
        "  - {id: watched, limit_to: 1, unit: requests_per_day, mode: audit}\n  - {id: gone, limit_to: 500, unit: requests_per_day}\n"
    )

    private func bearer(_ key: String) -> [String] { ["Authorization: Bearer sk-canary-\(key)"] }

    private func answer(_ query: String, as key: String, project: String? = nil, port: Int) async throws -> HTTPAnswer {
        let path = (project.map { "/v1/project_id/\($0)" } ?? "/v1") + "/logs/audit?" + query
        return try await RolloutTests.get(path, headers: bearer(key), port: port)
    }

    private func rows(_ query: String, as key: String, project: String? = nil, port: Int) async throws -> [Row] {
        let answer = try await answer(query, as: key, project: project, port: port)
        #expect(answer.status == 200, "\(answer.text)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Page.self, from: Data(answer.body)).data
    }

    /// Waits for a row.
    private func row(_ query: String, as key: String, project: String? = nil, port: Int) async throws -> Row {
        try await eventually { try await !rows(query, as: key, project: project, port: port).isEmpty }
        return try #require(try await rows(query, as: key, project: project, port: port).first)
    }

    private func withServe(_ body: (ProgramFolder, GatewayProcess, _ port: Int) async throws -> Void) async throws {
        try await ProgramFolder.with { folder in
            try folder.write(Self.secrets, to: "secrets.yaml")
            try folder.write(Self.firstKeys, to: "keys.yaml")
            try folder.write(Self.firstRules, to: "gateway.yaml")
            let ended = try await folder.serve(environment: Self.environment) { process, port in
                try await body(folder, process, port)
            }
            #expect(ended.code == 0, "\(ended.output)")
        }
    }

    @Test func `reloads leave rows with hash and diff`() async throws {
        try await withServe { folder, process, port in
            let secondRules = Self.rules(
                "  - {id: new, limit_to: 9, unit: requests_per_day}\n  - {id: watched, limit_to: 2, unit: requests_per_day, mode: audit}\n"
            )
            try folder.write(secondRules, to: "gateway.yaml")
            let rules = try await row("kind=rules.reloaded", as: "admin", port: port)
            #expect(rules.subject == "gateway.yaml" && rules.projectId == nil && rules.account == nil)
            #expect(rules.actor.hasPrefix("serve ") && rules.actor.hasSuffix(":\(process.id)"))
            #expect(rules.details.sha256Before == Self.sha256(Self.firstRules))
            #expect(rules.details.sha256After == Self.sha256(secondRules))
            let type = "gateway-rate-limiting-config"
            #expect(rules.details.added == ["\(type)/new"] && rules.details.removed == ["\(type)/gone"])
            #expect(rules.details.changed == ["\(type)/watched"])

            let brokenRules = Self.rules("  - {id: rule-canary, limit_to: canary, unit: requests_per_day}\n")
            try folder.write(brokenRules, to: "gateway.yaml")
            let refused = try await row("kind=rules.refused", as: "admin", port: port)
            #expect(refused.details.sha256InForce == Self.sha256(secondRules))
            #expect(refused.details.sha256Refused == Self.sha256(brokenRules))
            #expect(refused.details.problems == 1 && refused.details.places == ["gateway.yaml:3:33"])

            let secondKeys = Self.keys(
                ("red", "projects: [red, blue]"), ("green", "projects: [blue]"),
                ("admin", "projects: \"*\", admin: true"))
            try folder.write(secondKeys, to: "keys.yaml")
            let keys = try await row("kind=keys.reloaded", as: "admin", port: port)
            #expect(keys.subject == "keys.yaml" && keys.details.sha256Before == Self.sha256(Self.firstKeys))
            #expect(keys.details.sha256After == Self.sha256(secondKeys))
            #expect(
                keys.details.added == ["green"] && keys.details.removed == ["blue"] && keys.details.changed == ["red"])

            try folder.write("keys:\n  - {id: key-canary, sha256: sk-canary-raw}\n", to: "keys.yaml")
            let broken = try await row("kind=keys.refused", as: "admin", port: port)
            #expect(broken.details.sha256InForce == Self.sha256(secondKeys))
            #expect(broken.details.places?.allSatisfy { $0.hasPrefix("keys.yaml:2:") } == true)

            let secondSecrets = Self.secrets + "\nprovider_keys: {openai: sk-canary-openai}\n"
            try folder.write(secondSecrets, to: "secrets.yaml")
            let secrets = try await row("kind=secrets.reloaded", as: "admin", port: port)
            #expect(secrets.subject == "secrets.yaml" && secrets.details.sha256After == Self.sha256(secondSecrets))
            #expect(secrets.details.added == ["provider_keys/openai"] && secrets.details.changed == [])
            try folder.write(Self.secrets + "\ndefault_project_id: sk-canary-slip\n", to: "secrets.yaml")
            let slip = try await row("kind=secrets.refused", as: "admin", port: port)
            #expect(slip.details.sha256InForce == Self.sha256(secondSecrets) && slip.details.problems == 1)

            // What a list shows, an export and a terminal show too, and none of them a secret.
            let search = CanarySearch(["a key, a rule or a value": "canary"])
            for format in ["json", "jsonl", "csv"] {
                let answer = try await answer("format=\(format)", as: "admin", port: port)
                #expect(answer.status == 200 && answer.text.contains("keys.refused"))
                search.expectNone(in: answer, format)
            }
            let listed = try await folder.run(
                "metadata-gateway", arguments: ["logs", "--audit", "--where", "kind[starts_with]=rules."],
                environment: ["GATEWAY_URL": "http://127.0.0.1:\(port)", "GATEWAY_API_KEY": "sk-canary-admin"])
            let lines = listed.output.split(separator: "\n")
            #expect(listed.code == 0 && lines.count == 3, "\(listed.output)")
            #expect(lines.first?.contains("KIND") == true && lines.last?.contains("rules.refused") == true)
            #expect(lines.dropFirst().first?.contains(#""added":["gateway-rate-limiting-config/new"]"#) == true)
        }
    }

    /// Each project sees what was done in it, and the operator's key what belongs to none.
    @Test func `each sees its own`() async throws {
        try await withServe { folder, _, port in
            let path = "/rollout_id/r/invocation_id/i/experiment_id/e/run_id/r/row_id/1/chat/completions"
            for (key, prefix) in [("red", ""), ("blue", "/project_id/blue")] {
                for _ in 0..<3 {
                    let answer = try await withRawClient(to: port) { client in
                        try await client.call(
                            "POST", prefix + path, headers: bearer(key) + [#"X-TFY-METADATA: {"note":"value-canary"}"#],
                            body: ServeTests.body("mock/echo"))
                    }
                    #expect(answer.status == 200, "\(answer.text)")
                }
            }
            let used = try await row("kind=key.used", as: "red", port: port)
            #expect(
                used.subject == "red" && used.account == "team-red" && used.projectId == "red"
                    && used.details.count == 1)
            _ = try await row("kind=key.used&subject=blue", as: "blue", project: "blue", port: port)
            let audited = try await row("kind=rule.audited", as: "blue", project: "blue", port: port)
            #expect(audited.subject == "watched" && audited.projectId == "blue")
            #expect(audited.details.exampleInsertionId.flatMap { InsertionID($0) } != nil)
            _ = try await row("kind=seal.key_written", as: "admin", port: port)
            #expect(Set(try await rows("", as: "red", port: port).map(\.projectId)) == ["red"])
            #expect(Set(try await rows("", as: "blue", project: "blue", port: port).map(\.projectId)) == ["blue"])
            #expect(
                Set(try await rows("", as: "admin", project: "blue", port: port).map(\.projectId)) == ["blue", nil])
            #expect(try await rows("project[absent]", as: "red", port: port).isEmpty)
            #expect(try await answer("", as: "red", project: "blue", port: port).status == 404)
            let all = try await answer("format=jsonl", as: "admin", project: "blue", port: port)
            CanarySearch(["a key or a value": "canary"]).expectNone(in: all, "an export")
            try await withRedisClient(folder.redis) { redis in
                try await CanarySearch(["a key": "sk-canary", "a value": "value-canary"]).expectNone(in: redis)
            }
        }
    }

    /// Each process that reads the secrets tells of its own readings.
    @Test func `each part tells what it read`() async throws {
        try await TraceRig.run { rig in
            try await rig.store {
                try await rig.parts { port in
                    let log = try await rig.fleet.process(
                        "tracestore", variables: ["DATA_DIR": "log", "TRACESTORE_PORT": "0"]
                    ) { process in
                        try await process.line(with: "listens on http://")
                        try await eventually { try await RolloutTests.get("/logs/audit", port: port).status == 200 }
                        let keys =
                            #"{"main": {"public_key": "pk-lf-main", "secret_key": "sk-lf-main"}, "#
                            + #""other": {"public_key": "pk-lf-other", "secret_key": "sk-lf-other"}}"#
                        try rig.fleet.folder.write(
                            #"{"default_project_id": "main", "langfuse_keys": \#(keys)}"#, to: "secrets.yaml")
                        let decoder = JSONDecoder()
                        try await eventually {
                            let answer = try await RolloutTests.get("/logs/audit?kind=secrets.reloaded", port: port)
                            let rows = try decoder.decode(Page.self, from: Data(answer.body)).data
                            let actors = Set(rows.map { $0.actor.prefix { $0 != " " } })
                            return actors == ["ingress", "forwarder", "verifier", "tracestore"]
                        }
                    }
                    #expect(log.code == 0, "\(log.output)")
                }
            }
        }
    }

    /// Where clients need no key, they are the operator. What is kept outlives the process.
    @Test func `without keys all is seen`() async throws {
        try await ProgramFolder.with { folder in
            for _ in 0..<2 {
                let ended = try await folder.serve { _, port in
                    try await eventually {
                        let text = try await RolloutTests.get("/logs/audit?kind=seal.key_written", port: port).text
                        return text.split(separator: "\"kind\"").count == 2
                    }
                }
                #expect(ended.code == 0, "\(ended.output)")
            }
        }
    }

    /// Redis goes and comes: what is noted meanwhile waits, and completions are as before.
    @Test func `loss of Redis costs no completion and no row`() async throws {
        var options = RedisServer.Options()
        options.isDurable = true
        try await GatewayFleet.run(redis: options, provider: .paced, environment: ["CONFIG_PATH": "gateway.yaml"]) {
            fleet in
            try fleet.folder.write(Self.firstRules, to: "gateway.yaml")
            try await fleet.serve { process, port in
                let call = {
                    try await withRawClient(to: port) {
                        try await $0.call("POST", ServeTests.path, body: ServeTests.body("m"))
                    }
                }
                try await eventually { try await RolloutTests.get("/logs/audit", port: port).status == 200 }
                fleet.server.kill()
                try fleet.folder.write(
                    Self.rules("  - {id: other, limit_to: 100, unit: requests_per_day}\n"), to: "gateway.yaml")
                try await process.line(with: "read the rules of CONFIG_PATH again")
                try await fleet.server.restart()
                try await eventually(within: .seconds(30)) { try await call().status == 200 }
                for _ in 0..<10 { #expect(try await call().status == 200) }
                try await eventually(within: .seconds(30)) {
                    let answer = try await RolloutTests.get("/logs/audit?kind=rules.reloaded", port: port)
                    return answer.status == 200
                        && answer.text.contains(#""added":["gateway-rate-limiting-config/other"]"#)
                }
            }
        }
    }
}
