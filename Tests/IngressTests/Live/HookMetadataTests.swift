import Common
import Policies
import TestSupport
import Testing

@testable import Ingress

/// Metadata that a hook of an own build reads, sets and takes away.
@Suite(.timeLimit(.minutes(5))) struct HookMetadataTests {
    private static let rules = """
        type: gateway-metadata-config
        keys: {team: {required: true, values: [red, blue]}, run_id: {values: [n1, nightly]}}
        rules: [{id: zone, gateway_metadata: {zone: eu}}]
        ---
        type: gateway-rate-limiting-config
        rules:
          - id: vouched
            when: {metadata: {team: red}, metadata_from: gateway}
            limit_to: 9
            unit: requests_per_day
        """
    private static let claim = [#"X-TFY-METADATA: {"team":"red","note":"x"}"#]

    private static func plan(
        _ hook: @escaping @Sendable (inout ChatCall) -> Void
    ) throws -> (inout LiveIngress.Plan) -> Void {
        let policies = try PolicyFixture.read(rules, asksForKeys: false)
        return {
            $0.policies = policies
            $0.extensions.chatHooks = [ExtensionTests.Hook { hook(&$0) }]
        }
    }

    /// The job of a request that a hook has changed.
    private func job(
        _ headers: [String] = claim, _ hook: @escaping @Sendable (inout ChatCall) -> Void
    ) async throws -> Job {
        try await LiveIngress.run(Self.plan(hook)) { ingress in
            async let reply = ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
            return taken.job
        }
    }

    /// What the client of such a request is told, which is not queued.
    private func refusal(
        _ headers: [String] = claim, _ hook: @escaping @Sendable (inout ChatCall) -> Void
    ) async throws -> HTTPAnswer {
        try await LiveIngress.run(Self.plan(hook)) { ingress in
            let answer = try await ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(try await ingress.queued() == 0)
            return answer
        }
    }

    /// A hook sees what is resolved. What it leaves alone stays a claim, which a rule can tell from its word.
    @Test func `what a hook leaves alone keeps its origin`() async throws {
        let job = try await job { call in
            #expect(call[metadata: "team"] == "red" && call[metadata: "zone"] == "eu")
            #expect(call[metadata: "run_id"] == nil, "it is in the rollout's ids")
        }
        #expect(job.metadata["team"] == .init("team", "red", from: .header))
        #expect(job.rules.limits.isEmpty)
    }

    /// Also where it is what the client has claimed.
    @Test func `what a hook sets is the gateway's word`() async throws {
        let job = try await job { call in
            call[metadata: "team"] = "red"
            call[metadata: "note"] = nil
            call[metadata: "tier"] = "gold"
        }
        #expect(
            job.metadata.entries == [
                .init("team", "red", from: .gateway), .init("zone", "eu", from: .gateway),
                .init("tier", "gold", from: .gateway),
            ])
        #expect(job.rules.limits == ["vouched"])
    }

    /// A key that is required may come from a hook alone, and the ids are those that the hook leaves.
    @Test func `the rules look at what a hook leaves`() async throws {
        let job = try await job([]) { call in
            call[metadata: "team"] = "blue"
            call.rollout?.run = "nightly"
        }
        #expect(job.metadata["team"]?.value == "blue" && job.rollout?.run == "nightly")
        let taken = try await refusal { $0[metadata: "team"] = nil }
        #expect(taken.error?.code == "metadata_refused" && taken.error?.param == "metadata.team")
        let moved = try await refusal { $0.rollout?.run = "other" }
        #expect(moved.error?.code == "metadata_refused" && moved.error?.param == "metadata.run_id")
    }

    /// It is told as its own: the client has not sent it.
    @Test(arguments: [("run_id", "n1"), ("tfy_log_request", "false"), ("a:b", "x"), ("note", longValue)])
    func `what no client may send no hook may set`(key: String, value: String) async throws {
        let answer = try await refusal { $0[metadata: key] = value }
        #expect(answer.error?.code == "invalid_metadata" && answer.error?.param == "metadata.\(key)")
        #expect(answer.error?.message.contains("A hook of this gateway") == true, "\(answer.text)")
    }

    private static let longValue = String(repeating: "x", count: 129)
}
