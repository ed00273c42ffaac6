import Common
import TestSupport
import Testing

@testable import Policies

/// What the operator may write, and what is said about the rest.
@Suite struct PolicyReaderTests {
    private static let head = "type: gateway-metadata-config\n"

    @Test func `a document is read`() throws {
        let text = """
            type: gateway-metadata-config
            name: n
            mode: audit
            allow_unknown_keys: false
            keys:
              a: {required: true, values: [x, 1, true]}
              b: {regex: "[0-9]+"}
              run_id:
            rules:
              - id: one
                when:
                  subjects: [user:u, team:t, account:a, virtualaccount:b, virtual-account:c, "serviceaccount:d:e", "*"]
                metadata_override: {c: 1}
              - {id: two, gateway_metadata: {d: "2"}, when: {}}
            """
        let policy = try PolicyFixture.read(text).metadata
        #expect(policy.mode == .audit && !policy.allowsUnknownKeys && policy.hasRules)
        #expect(
            policy.keys == [
                .init(name: "a", isRequired: true, values: .listed(["x", "1", "true"])),
                .init(name: "b", isRequired: false, values: .matching(try Pattern("[0-9]+"))),
                .init(name: "run_id", isRequired: false, values: .any),
            ])
        #expect(
            policy.overrides == [
                .init(
                    id: "one",
                    subjects: [
                        .user("u"), .team("t"), .account("a"), .account("b"), .account("c"), .account("d:e"), .everyone,
                    ], metadata: [.init(key: "c", value: "1")]),
                .init(id: "two", subjects: [.everyone], metadata: [.init(key: "d", value: "2")]),
            ])
    }

    @Test(arguments: ["", "# nothing\n", "---\n", head, head + "---\n", "---\n---\n" + head])
    func `an empty document changes nothing`(text: String) throws {
        let policies = try PolicyFixture.read(text)
        #expect(policies.metadata == MetadataPolicy() && policies.rateLimits.isEmpty && policies.routing.isEmpty)
    }

    @Test func `a folder's files are read by their names, others are left alone`() throws {
        let files = [
            ("b.yml", Self.head + "mode: audit\n"), ("a.yaml", ""), ("c.yaml.bak", "{"), (".d.yaml", "{"),
            ("e.txt", "{"),
        ]
        #expect(try PolicyFixture.read(files).metadata.mode == .audit)
        let two = #expect(throws: ConfigurationError.self) {
            try PolicyFixture.read([("z.yaml", Self.head), ("y.yaml", Self.head)])
        }
        let text = two?.description ?? ""
        #expect(
            text.contains("z.yaml:1:7: error:") && text.contains("already given at") && text.contains("y.yaml:1:7"),
            "\(text)")
        #expect(throws: ConfigurationError.self) { try PolicyFixture.read([("a.txt", "")]) }
    }

    /// Each mistake, with its place and what repairs it.
    @Test(
        arguments: [
            ("mode: enforce\n", "1:1", "needs `type`"),
            ("- a\n", "1:1", "a mapping"),
            ("type: gateway-metdata-config\n", "1:7", "Did you mean `gateway-metadata-config`?"),
            ("type: gateway-loging-config\n", "1:7", "Did you mean `gateway-logging-config`?"),
            ("type: x\n", "1:7", "`x` is not a type"),
            (head + "---\n" + head, "3:7", "already given"),
            (head + "mod: audit\n", "2:1", "Did you mean `mode`?"),
            (head + "mode: audt\n", "2:7", "did you mean `audit`?"),
            (head + "allow_unknown_keys: no\n", "2:21", "true or false"),
            (head + "keys: [a]\n", "2:7", "a mapping"),
            (head + "keys:\n  a: {requird: true}\n", "3:7", "Did you mean `required`?"),
            (head + "keys:\n  a: {values: []}\n", "3:15", "no request could keep to it"),
            (head + "keys:\n  a: {values: [x, x]}\n", "3:19", "twice"),
            (head + "keys:\n  a: {values: [x], regex: x}\n", "3:27", "both"),
            (head + "keys:\n  a: {regex: \"(x\"}\n", "3:14", "not closed (at its character 1)"),
            (head + "keys:\n  tfy_x: {}\n", "3:3", "reserved"),
            (head + "keys:\n  insertion_id: {}\n", "3:3", "path"),
            (head + "keys:\n\ta: {}\n", "3:1", "a tab stands here"),
            (head + "rules:\n  - {id: a, gateway_metadata: {run_id: x}}\n", "3:32", "path"),
            (head + "rules:\n  - {id: a, gateway_metadata: {a: [x]}}\n", "3:35", "must be text"),
            (head + "rules:\n  - {id: a}\n", "3:5", "needs `gateway_metadata`"),
            (head + "rules:\n  - {gateway_metadata: {a: x}}\n", "3:5", "needs `id`"),
            (
                head + "rules:\n  - {id: a, gateway_metadata: {a: x}, metadata_override: {a: x}}\n", "3:58",
                "mean the same"
            ),
            (
                head + "rules:\n  - {id: a, gateway_metadata: {a: x}, when: {subject: [x]}}\n", "3:46",
                "Did you mean `subjects`?"
            ),
            (head + "rules:\n  - {id: a, gateway_metadata: {a: x}, when: {subjects: []}}\n", "3:56", "empty"),
            (
                head + "rules:\n  - {id: a, gateway_metadata: {a: x}, when: {subjects: [usr:x]}}\n", "3:57",
                "Did you mean `user:`?"
            ),
            (
                head + "rules:\n  - {id: a, gateway_metadata: {a: x}, when: {subjects: [alice]}}\n", "3:57",
                "not a subject"
            ),
            (
                head + "rules:\n  - {id: a, gateway_metadata: {a: x}}\n  - {id: a, gateway_metadata: {b: x}}\n", "4:5",
                "another rule's"
            ),
            (
                head + "rules:\n  - {id: a, gateway_metadata: {a: x}}\n  - {id: b, gateway_metadata: {a: x}}\n", "4:5",
                "sets nothing"
            ),
            (
                head + "keys:\n  a: {values: [x]}\nrules:\n  - {id: a, gateway_metadata: {a: y}}\n", "5:31",
                "does not allow"
            ),
        ])
    func `a mistake is told with its place`(text: String, place: String, part: String) {
        let error = #expect(throws: ConfigurationError.self) { try PolicyFixture.read(text) }
        let said = error?.description ?? ""
        #expect(said.contains("gateway.yaml:\(place): error: ") && said.contains(part), "\(said)")
        #expect(error?.problems.count == 1, "\(said)")
    }

    @Test func `all mistakes are told at once`() {
        let text =
            Self.head
            + "mode: x\nkeys:\n  tfy_a: {}\n  b: {regex: \"*\"}\nrules:\n  - {id: a}\n  - {id: b, gateway_metadata: {a: x, run_id: x}}\n"
        let error = #expect(throws: ConfigurationError.self) {
            try PolicyFixture.read([("a.yaml", text), ("b.yaml", "type: y\n")])
        }
        #expect(error?.problems.count == 6, "\(error?.description ?? "")")
    }

    /// Without keys a rule for one client would never hold.
    @Test(arguments: ["user:u", "team:t", "account:a", "virtualaccount:a"])
    func `without authentication everyone is the only subject`(subject: String) throws {
        func text(_ subject: String) -> String {
            Self.head + "rules:\n  - {id: a, gateway_metadata: {a: x}, when: {subjects: [\"\(subject)\"]}}\n"
        }
        let error = #expect(throws: ConfigurationError.self) {
            try PolicyFixture.read(text(subject), asksForKeys: false)
        }
        #expect(error?.description.contains("API_KEYS_PATH") == true)
        #expect(throws: Never.self) { try PolicyFixture.read(text(subject)) }
        #expect(throws: Never.self) { try PolicyFixture.read(text("*"), asksForKeys: false) }
    }
}
