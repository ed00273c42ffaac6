import Common
import InMemoryLogging
import Logging
import TestSupport
import Testing

@testable import Ingress
@testable import Policies

/// The operator's rules on metadata, by each way into the queue.
@Suite(.timeLimit(.minutes(5))) struct MetadataRuleTests {
    private static var policies: Policies {
        var policies = Policies()
        policies.metadata.allowsUnknownKeys = false
        policies.metadata.keys = [
            .init(name: "team", isRequired: true, values: .listed(["search", "ads"])),
            .init(name: "run_id", isRequired: false, values: .listed(["n1"])),
        ]
        policies.metadata.overrides = [
            .init(
                id: "a", subjects: [.team("ads")],
                metadata: [.init(key: "zone", value: "us"), .init(key: "plan", value: "free")])
        ]
        return policies
    }

    static let refused: [(headers: [String], param: String)] = [
        ([], "metadata.team"), ([#"x-tfy-metadata: {"team":"sales-canary"}"#], "metadata.team"),
        ([#"x-tfy-metadata: {"team":"ads","zone":"us"}"#], "metadata.zone"),
    ]

    @Test(arguments: MetadataTests.ways) func `what breaks a rule leaves nothing behind`(
        way: MetadataTests.Way
    ) async throws {
        try await LiveIngress.run({ $0.policies = Self.policies }) { ingress in
            let before = try await ingress.keys()
            for (headers, param) in Self.refused {
                let answer = try await ingress.call(
                    "POST", way.target, headers: way.headers + headers, body: LiveIngress.body)
                #expect(
                    answer.status == 400 && answer.error?.code == "metadata_refused" && answer.error?.param == param,
                    "\(answer.text)")
                #expect(!answer.text.contains("sales-canary"))
            }
            #expect(try await ingress.keys() == before)
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `the path's ids are looked at, and a list of models needs no metadata`() async throws {
        try await LiveIngress.run({ $0.policies = Self.policies }) { ingress in
            let headers = [#"x-tfy-metadata: {"team":"ads"}"#]
            let other = LiveIngress.path.replacing("run_id/n1", with: "run_id/n2")
            let answer = try await ingress.call("POST", other, headers: headers, body: LiveIngress.body)
            #expect(answer.error?.code == "metadata_refused" && answer.error?.param == "metadata.run_id")
            async let replies = ingress.forwarder.answer(next: 2) { "{\"metadata\":\($0.metadata.entries.count)}" }
            #expect(
                try await ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body).text
                    == #"{"metadata":1}"#)
            #expect(try await ingress.call("GET", "/models").text == #"{"metadata":0}"#)
            try await replies
        }
    }

    @Test func `the operator's word stands before the client's, and the key's before both`() async throws {
        let account = Account(id: "alice", user: "ada", teams: ["search", "ads"], metadata: ["plan": "gold"])
        var policies = Self.policies
        policies.metadata.allowsUnknownKeys = true
        try await LiveIngress.run({ ($0.auth, $0.policies) = (OneAccount(account: account), policies) }) { ingress in
            let headers = [#"x-tfy-metadata: {"team":"ads","zone":"claimed","plan":"claimed"}"#]
            async let answer = ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(
                taken.job.metadata.entries == [
                    .init("team", "ads", from: .header), .init("zone", "us", from: .gateway),
                    .init("plan", "gold", from: .key),
                ])
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await answer.status == 200)
        }
    }

    /// The log names the rule and the operator's key, and no word of the client's.
    @Test func `audit lets a request pass and says so`() async throws {
        let handler = InMemoryLogHandler()
        var policies = Self.policies
        policies.metadata.mode = .audit
        try await LiveIngress.run({ ($0.policies, $0.logger) = (policies, Logger(label: "test") { _ in handler }) }) {
            ingress in
            async let replies = ingress.forwarder.answer(next: 3) { _ in "{}" }
            for headers in [
                [#"x-tfy-metadata: {"team":"sales-canary"}"#], [#"x-tfy-metadata: {"team":"ads","key-canary":""}"#],
                [#"x-tfy-metadata: {"team":"ads"}"#],
            ] {
                #expect(
                    try await ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body).status
                        == 200)
            }
            try await replies
        }
        let lines = handler.entries.filter { "\($0.message)".contains("metadata breaks a rule") }
        #expect(lines.map { $0.metadata["rule"] } == ["values", "allow_unknown_keys"])
        #expect(lines.map { $0.metadata["key"] } == ["team", "an unknown one"])
        #expect(lines.allSatisfy { InsertionID("\($0.metadata["insertion_id"] ?? "")") != nil })
        #expect(!handler.entries.contains { "\($0)".contains("canary") })
    }
}
