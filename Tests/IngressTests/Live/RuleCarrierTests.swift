import Common
import Policies
import Redis
import TestSupport
import Testing

@testable import Ingress

/// What a rule decides does not depend on the way in which metadata comes, but on who says it.
@Suite(.timeLimit(.minutes(5))) struct RuleCarrierTests {
    /// A way in which the value of a key reaches the gateway.
    struct Carrier: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var key = "team"
        /// Makes the request's header for a value.
        var header: @Sendable (_ value: String) -> String? = { _ in nil }
        /// Whether the value stands in the client's key, in the operator's `gateway_metadata`, or in the path.
        var origin = ResolvedMetadata.Origin.header
        /// Whether a hook of an own build sets it, in the place of what the client claims.
        var isHook = false
    }

    static let carriers = [
        Carrier(testDescription: "X-TFY-METADATA") { #"X-TFY-METADATA: {"team":"\#($0)"}"# },
        Carrier(testDescription: "Portkey") { #"x-portkey-metadata: {"team":"\#($0)"}"# },
        Carrier(testDescription: "Cloudflare") { #"cf-aig-metadata: {"team":"\#($0)"}"# },
        Carrier(testDescription: "Helicone") { "Helicone-Property-Team: \($0)" },
        Carrier(testDescription: "LiteLLM") { "x-litellm-tags: other,team:\($0)" },
        Carrier(testDescription: "the client's key", origin: .key),
        Carrier(testDescription: "gateway_metadata", origin: .gateway),
        Carrier(testDescription: "the path", key: "run_id", origin: .path),
        Carrier(testDescription: "a hook", header: { _ in #"X-TFY-METADATA: {"team":"claimed"}"# }, isHook: true),
    ]

    /// A rule of each kind for the value `red` of a key, which may be `red` or `blue`.
    private static func rules(_ key: String, sets value: String?) -> String {
        """
        type: gateway-metadata-config
        keys: {\(key): {values: [red, blue]}}
        \(value.map { "rules: [{id: set, gateway_metadata: {\(key): \($0)}}]" } ?? "")
        ---
        type: gateway-rate-limiting-config
        rules:
          - {id: limit, when: {metadata: {\(key): red}}, limit_to: 9, unit: requests_per_day}
        ---
        type: gateway-load-balancing-config
        rules:
          - {id: balance, when: {metadata: {\(key): red}}, load_balance_targets: [{target: p/balanced}]}
        ---
        type: gateway-fallback-config
        rules:
          - id: fallback
            when: {metadata: {\(key): red}, response_status_codes: [500]}
            fallback_models: [p/fallback]
        ---
        type: gateway-logging-config
        rules:
          - {id: withhold, when: {metadata: {\(key): red}}, log: false}
        """
    }

    @Test(arguments: carriers) func `each kind decides the same by each carrier`(carrier: Carrier) async throws {
        for value in ["red", "blue", "green"] {
            let origin = carrier.origin
            // What the operator writes is checked when it is read.
            if value == "green", origin == .gateway { continue }
            let policies = try PolicyFixture.read(
                Self.rules(carrier.key, sets: origin == .gateway ? value : nil), asksForKeys: false)
            try await LiveIngress.run {
                $0.policies = policies
                $0.settings.http.metadataHeaders = MetadataHeader.allCases
                if carrier.isHook { $0.extensions.chatHooks = [SetsTeam(value: value)] }
                if origin == .key { $0.auth = OneAccount(account: Account(id: "a", metadata: ["team": value])) }
            } _: { ingress in
                let target =
                    origin == .path
                    ? LiveIngress.path.replacing("run_id/n1", with: "run_id/\(value)") : LiveIngress.path
                let headers = [carrier.header(value)].compactMap(\.self)
                async let reply = ingress.call("POST", target, headers: headers, body: LiveIngress.body)
                guard value != "green" else {
                    let answer = try await reply
                    #expect(answer.status == 400 && answer.error?.code == "metadata_refused")
                    return
                }
                let taken = try await ingress.forwarder.take()
                let isRed = value == "red"
                #expect(taken.job.rules.limits == (isRed ? ["limit"] : []))
                #expect(taken.job.route.steps.map(\.model) == (isRed ? ["p/balanced", "p/fallback"] : []))
                #expect(taken.job.isWithheld == isRed)
                #expect(taken.job.rules.others == (origin == .gateway ? ["set"] : []) + (isRed ? ["withhold"] : []))
                #expect(taken.job.rules.hash == policies.hash)
                try await ingress.forwarder.answer(taken, body: "{}")
                #expect(try await reply.status == 200)
            }
        }
    }

    private struct SetsTeam: ChatHook {
        let value: String

        func prepare(_ call: inout ChatCall) async throws { call[metadata: "team"] = value }
    }

    /// OpenAI's own `metadata` in the body is something else, and no carrier.
    @Test func `the bodys metadata meets no rule`() async throws {
        let policies = try PolicyFixture.read(Self.rules("team", sets: nil), asksForKeys: false)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            async let reply = ingress.call(
                "POST", LiveIngress.path, body: #"{"model": "openai/gpt", "metadata": {"team": "red"}, "messages": []}"#
            )
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.rules.limits.isEmpty && taken.job.route.isEmpty)
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }

    /// A client that claims another's tag meets no rule that asks for the key's word, and fills no counter of the
    /// other.
    @Test func `a claim reaches nothing of anothers`() async throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-rate-limiting-config
            rules:
              - id: b-limit
                when: {metadata: {team: b}, metadata_from: key}
                limit_to: 1
                unit: requests_per_day
                rate_limit_applies_per: [metadata.team]
            ---
            type: gateway-load-balancing-config
            rules:
              - id: b-route
                when: {metadata: {team: b}, metadata_from: key}
                load_balance_targets: [{target: p/premium}]
            """)
        func entry(_ id: String, _ metadata: [UTF8Text: String]) -> APIKeyAuth.Entry {
            var entry = APIKeyAuthTests.entry(id, key: "key-\(id)", projects: .all)
            entry.account.metadata = metadata
            return entry
        }
        let auth = APIKeyAuth(entries: [entry("a", [:]), entry("c", ["team": "c"]), entry("b", ["team": "b"])])
        try await LiveIngress.run {
            $0.policies = policies
            $0.auth = auth
        } _: { ingress in
            func ask(_ key: String) async throws -> HTTPAnswer {
                try await ingress.call(
                    "POST", LiveIngress.path,
                    headers: ["Authorization: Bearer key-\(key)", #"X-TFY-METADATA: {"team":"b"}"#],
                    body: LiveIngress.body)
            }
            for key in ["a", "c"] {
                async let reply = ask(key)
                let taken = try await ingress.forwarder.take()
                #expect(taken.job.rules.limits.isEmpty && taken.job.route.isEmpty, "\(key)")
                // The trace says that the value was a claim, and that a key's own stands before it.
                #expect(taken.job.metadata["team"]?.origin == (key == "a" ? .header : .key))
                try await ingress.forwarder.answer(taken, body: "{}")
                #expect(try await reply.status == 200)
            }
            let counters = try await ingress.keys().filter { $0.hasPrefix("gateway/rate/") }
            #expect(counters.isEmpty, "b's counter is not there yet")
            async let own = ask("b")
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.rules.limits == ["b-limit"] && taken.job.route.steps.map(\.model) == ["p/premium"])
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await own.status == 200)
            #expect(try await ask("b").status == 429, "its one was left")
        }
    }
}
