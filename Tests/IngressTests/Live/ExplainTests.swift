import Common
import JSON
import Policies
import Redis
import TestSupport
import Testing

@testable import Ingress

/// `POST /v1/rules/explain`: what the rules decide, without a trace of the question.
@Suite(.timeLimit(.minutes(5))) struct ExplainTests {
    private static let path = "/v1/rules/explain"
    private static let rules = """
        type: gateway-rate-limiting-config
        rules:
          - {id: dev, when: {models: [openai/gpt], metadata: {env: dev}}, limit_to: 2, unit: requests_per_day}
          - {id: tokens, limit_to: 1000, unit: tokens_per_minute, default_output: 10}
        ---
        type: gateway-load-balancing-config
        rules:
          - id: balance
            when: {models: [openai/gpt]}
            load_balance_targets:
              - {target: azure/gpt, weight: 60}
              - {target: aws/gpt, weight: 40, metadata_match: {zone: eu}}
        """

    private func explain(
        _ ingress: LiveIngress, _ body: String, headers: [String] = []
    ) async throws -> JSONObject {
        let answer = try await ingress.call("POST", Self.path, headers: headers, body: body)
        #expect(answer.status == 200 && answer["content-type"] == "application/json", "\(answer.text)")
        #expect(answer["cache-control"] == "no-store")
        return try JSONObject.scan(answer.body, maximumDepth: 8)
    }

    private static func entry(_ key: String, _ account: Account) -> APIKeyAuth.Entry {
        var entry = APIKeyAuthTests.entry(key, key: key, projects: .all)
        entry.account = account
        return entry
    }

    private func text(_ object: JSONObject, _ name: String) -> String {
        object.member(name).map { String(decoding: object.bytes[$0.value], as: UTF8.self) } ?? ""
    }

    /// The counters that it reads are those that requests count on, and no question leaves a trace in Redis.
    @Test func `usage is read and nothing is counted`() async throws {
        let policies = try PolicyFixture.read(Self.rules, asksForKeys: false)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            let question = #"{"model": "openai/gpt", "metadata": {"env": "dev"}, "body": {"max_tokens": 5}}"#
            let unused = try await explain(ingress, question)
            #expect(text(unused, "decision") == #"{"outcome":"admitted"}"#)
            #expect(text(unused, "rate_limits").contains(#""used":0,"remaining":2,"reset_ms":0,"is_over":false"#))
            #expect(try await counters(ingress).isEmpty, "no key was made")
            for _ in 0..<2 {
                async let reply = ingress.call(
                    "POST", LiveIngress.path, headers: [#"X-TFY-METADATA: {"env":"dev"}"#], body: LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await reply.status == 200)
            }
            let before = try await counters(ingress)
            for _ in 0..<50 {
                let full = try await explain(ingress, question)
                let decision = #"{"outcome":"refused","status":429,"code":"rate_limit_exceeded","rule":"dev"}"#
                #expect(text(full, "decision") == decision)
                #expect(text(full, "rate_limits").contains(#""used":2,"remaining":0"#), "\(text(full, "rate_limits"))")
            }
            #expect(try await counters(ingress) == before && before.count == 4)
            #expect(try await ingress.queued() == 0)
            // The question was not a lie.
            let refused = try await ingress.call(
                "POST", LiveIngress.path, headers: [#"X-TFY-METADATA: {"env":"dev"}"#], body: LiveIngress.body)
            #expect(refused.status == 429 && refused.text.contains(#""rule":"dev""#))
        }
    }

    /// All keys of counters with what they hold.
    private func counters(_ ingress: LiveIngress) async throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for key in try await ingress.keys() where key.hasPrefix("gateway/rate/") {
            found[key] = try await ingress.redis.send(RedisCommand("DUMP", key)).bytes
        }
        return found
    }

    @Test func `targets are told with their shares`() async throws {
        let policies = try PolicyFixture.read(Self.rules, asksForKeys: false)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            let answer = text(try await explain(ingress, #"{"model": "openai/gpt"}"#), "load_balancing")
            #expect(answer.contains(#""target":"azure/gpt","weight":60,"share":1,"eligible":true"#), "\(answer)")
            #expect(
                answer.contains(
                    #""target":"aws/gpt","weight":40,"share":0,"eligible":false,"unmet":[{"part":"metadata.zone","wants":"`eu`","found":null}]"#
                ), "\(answer)")
            let other = text(try await explain(ingress, #"{"model": "openai/other"}"#), "load_balancing")
            #expect(other.contains(#""matches":false"#) && other.contains(#""wants":"one of `openai/gpt`""#))
        }
    }

    /// Metadata comes of the same sources in the same order as in a request.
    @Test func `metadata is resolved as a requests is`() async throws {
        let account = Account(id: "team-a", user: "ada", metadata: ["plan": "pro", "team": "a"])
        let policies = try PolicyFixture.read(
            "type: gateway-metadata-config\nrules: [{id: z, when: {subjects: [user:ada]}, gateway_metadata: {zone: eu}}]\n"
        )
        try await LiveIngress.run {
            $0.policies = policies
            $0.auth = APIKeyAuth(entries: [Self.entry("ada-key", account)])
        } _: { ingress in
            let answer = try await explain(
                ingress, #"{"model": "m", "metadata": {"team": "b", "zone": "us", "own": "1"}}"#,
                headers: ["Authorization: Bearer ada-key"])
            #expect(
                text(answer, "metadata")
                    == #"[{"key":"team","value":"a","origin":"key"},{"key":"zone","value":"eu","origin":"gateway"},"#
                    + #"{"key":"own","value":"1","origin":"header"},{"key":"plan","value":"pro","origin":"key"}]"#)
            #expect(text(answer, "request") == #"{"model":"m","account":"team-a","user":"ada","teams":[]}"#)
            let unknown = try await ingress.call("POST", Self.path, body: "{}")
            #expect(unknown.status == 401)
            let foreign = try await ingress.call(
                "POST", "/project_id/nowhere/rules/explain", headers: ["Authorization: Bearer ada-key"], body: "{}")
            #expect(foreign.status == 404 && foreign.text.contains("unknown_project"))
        }
    }

    /// A client with a key learns nothing of other clients: no rule that is for them, no value that a rule asks for,
    /// and not how much of a limit another one has used.
    @Test func `others are not shown`() async throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-rate-limiting-config
            rules:
              - {id: canary-rule, when: {subjects: ["user:canary-user"]}, limit_to: 7, unit: requests_per_day}
              - {id: "{metadata.customer}-limit", limit_to: 5, unit: requests_per_day}
              - {id: shared, when: {metadata: {tier: canary-tier}}, limit_to: 9, unit: requests_per_day}
              - {id: mine, limit_to: 3, unit: requests_per_day, rate_limit_applies_per: [account]}
            """)
        try await LiveIngress.run {
            $0.policies = policies
            $0.auth = APIKeyAuth(entries: [
                Self.entry("ada-key", Account(id: "a")), Self.entry("bob-key", Account(id: "b")),
            ])
        } _: { ingress in
            let metadata = #"X-TFY-METADATA: {"customer":"acme"}"#
            async let reply = ingress.call(
                "POST", LiveIngress.path, headers: ["Authorization: Bearer ada-key", metadata], body: LiveIngress.body)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await reply.status == 200)
            func limits(_ key: String) async throws -> String {
                let answer = try await explain(
                    ingress, #"{"model": "openai/gpt", "metadata": {"customer": "acme"}}"#,
                    headers: ["Authorization: Bearer \(key)"])
                #expect(text(answer, "decision") == #"{"outcome":"unknown"}"#)
                return text(answer, "rate_limits")
            }
            for (key, used) in [("ada-key", 1), ("bob-key", 0)] {
                let limits = try await limits(key)
                #expect(!limits.contains("canary"), "\(limits)")
                #expect(limits.contains(#""unmet":[{"part":"metadata.tier","found":null}]"#), "\(limits)")
                #expect(
                    limits.contains(
                        #""name":"acme-limit","amount":1,"usage":{"unknown":"the counter belongs to a value that the request only claims"}"#
                    ))
                #expect(limits.contains(#""name":"mine","amount":1,"usage":{"used":\#(used),"#), "\(limits)")
            }
        }
    }

    @Test func `a mistake is told`() async throws {
        try await LiveIngress.run({ $0.settings.http.maxBodyBytes = 2000 }) { ingress in
            let typo = try await ingress.call("POST", Self.path, body: #"{"modle": "m"}"#)
            #expect(typo.status == 400 && typo.text.contains("invalid_description"))
            let sender = try await ingress.call("POST", Self.path, body: #"{"model": "m", "account": "x"}"#)
            #expect(sender.status == 400 && sender.text.contains("explained as yours"))
            let large = #"{"model": "\#(String(repeating: "m", count: 2000))"}"#
            #expect(try await ingress.call("POST", Self.path, body: large).status == 413)
            let read = try await ingress.call("GET", Self.path)
            #expect(read.status == 405 && read["allow"] == "POST")
        }
    }

    /// Without Redis the rules are explained all the same, and usage is what is not known.
    @Test func `without Redis usage is unknown`() async throws {
        let policies = try PolicyFixture.read(Self.rules, asksForKeys: false)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            ingress.server.kill()
            try await eventually { try await ingress.call("GET", "/ready").text.contains(#""redis":false"#) }
            let answer = try await explain(ingress, #"{"model": "openai/gpt", "metadata": {"env": "dev"}}"#)
            #expect(text(answer, "decision") == #"{"outcome":"unknown"}"#)
            #expect(text(answer, "rate_limits").contains(#""usage":{"unknown":"Redis cannot be reached"}"#))
        }
    }

    /// Rules that are read again are those that are explained.
    @Test func `the rules in force are explained`() async throws {
        func rules(_ limit: Int) throws -> Policies {
            try PolicyFixture.read(
                "type: gateway-rate-limiting-config\nrules:\n  - {id: all, limit_to: \(limit), unit: requests_per_day}\n"
            )
        }
        let (first, second) = (try rules(4), try rules(6))
        let file = RulesFile(first, path: "/rules.yaml") { second }
        try await LiveIngress.run({ $0.rules = file }) { ingress in
            let before = try await explain(ingress, #"{"model": "m"}"#)
            #expect(text(before, "rules_hash") == "\"\(first.hash)\"" && first.hash.utf8.count == 16)
            file.refresh(isAsked: true, logger: .silent)
            let after = try await explain(ingress, #"{"model": "m"}"#)
            #expect(text(after, "rules_hash") == "\"\(second.hash)\"" && second.hash != first.hash)
            #expect(text(after, "rate_limits").contains(#""limit":6"#))
        }
    }

    /// What is told before a request is what becomes of it.
    @Test func `what is told is what happens`() async throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-metadata-config
            keys: {team: {values: [red, blue]}}
            ---
            type: gateway-rate-limiting-config
            rules:
              - {id: red, when: {metadata: {team: red}}, limit_to: 6, unit: requests_per_day}
              - {id: tokens, when: {models: [openai/gpt]}, limit_to: 300, unit: tokens_per_day, default_output: 20}
              - {id: each, limit_to: 9, unit: requests_per_day, rate_limit_applies_per: [metadata.team, model]}
              - {id: watched, limit_to: 1, unit: requests_per_day, mode: audit}
            """, asksForKeys: false)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            var random = SeededRandom(seed: 4)
            var outcomes: [String: Int] = [:]
            for _ in 0..<80 {
                let model = random.pick(["openai/gpt", "openai/other"])
                let metadata = random.pick([#"{}"#, #"{"team":"red"}"#, #"{"team":"blue"}"#, #"{"team":"green"}"#])
                let content = String(repeating: "x", count: random.pick([8, 80, 2000]))
                let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(content)"}]}"#
                let told = text(
                    try await explain(ingress, #"{"metadata": \#(metadata), "body": \#(body)}"#), "decision")
                async let reply = ingress.call(
                    "POST", LiveIngress.path, headers: ["X-TFY-METADATA: \(metadata)"], body: body)
                if told.contains("admitted") { try await ingress.forwarder.answer(next: 1) { _ in "{}" } }
                let answer = try await reply
                guard answer.status != 200 else {
                    #expect(told == #"{"outcome":"admitted"}"#)
                    outcomes["admitted", default: 0] += 1
                    continue
                }
                let code = answer.error?.code ?? ""
                outcomes[code, default: 0] += 1
                #expect(
                    told.hasPrefix(#"{"outcome":"refused","status":\#(answer.status),"code":"\#(code)","rule":"#),
                    "\(told)")
                if code != "metadata_refused" {
                    let rule = told.split(separator: "\"").dropLast().last.map(String.init) ?? ""
                    #expect(answer.text.contains(#""rule":"\#(rule)""#), "\(told): \(answer.text)")
                }
            }
            #expect(Set(outcomes.keys) == ["admitted", "metadata_refused", "never_admissible", "rate_limit_exceeded"])
        }
    }
}
