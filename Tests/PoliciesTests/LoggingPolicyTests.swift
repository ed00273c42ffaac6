import Common
import TestSupport
import Testing

@testable import Policies

/// What a request's trace shows: the operator's rules, the mode, the client's word.
@Suite struct LoggingPolicyTests {
    private static let head = "type: gateway-logging-config\n"

    private static func policy(_ text: String) throws -> LoggingPolicy { try PolicyFixture.read(text).logging }

    private static func facts(_ metadata: [String: String] = [:], model: String = "m/n") -> RequestFacts {
        RequestFacts(caller: Caller(user: "ada"), model: model, metadata: PolicyFixture.metadata(metadata))
    }

    /// A denial counts first, then the mode, then the header.
    @Test(
        arguments: [
            (false, .headerControlled, true, true), (false, .headerControlled, false, false),
            (false, .always, true, true), (false, .always, false, true),
            (false, .never, true, false), (false, .never, false, false),
            (true, .headerControlled, true, false), (true, .headerControlled, false, false),
            (true, .always, true, false), (true, .always, false, false),
            (true, .never, true, false), (true, .never, false, false),
        ] as [(Bool, RequestLoggingMode, Bool, Bool)])
    func `precedence`(denies: Bool, mode: RequestLoggingMode, wishesLog: Bool, isLogged: Bool) throws {
        let policy = denies ? try Self.policy(Self.head + "rules:\n  - {id: a, log: false}\n") : LoggingPolicy()
        let logging = policy.logging(of: Self.facts(), mode, wishesLog: wishesLog).content
        #expect(logging == (isLogged ? .whole : .withheld))
    }

    @Test func `all rules that match count, and a denial wins in any order`() throws {
        let text =
            Self.head + """
                rules:
                  - {id: allow, log: true}
                  - {id: deny, log: false, when: {metadata: {team: legal}}}
                  - {id: mail, log: true, when: {models: [m/n]}, redact_with: {presets: [email, us_ssn]}}
                  - id: staff
                    log: true
                    when: {subjects: {not_in: ["user:bob"]}, metadata: {region: {in: [eu, us]}}}
                    redact_with:
                      presets: [us_ssn, iban]
                      custom_patterns: ["EMP-[0-9]+", {pattern: 'K\\d', redaction_text: "<k>"}]
                """
        let policy = try Self.policy(text)
        func logging(_ metadata: [String: String], model: String = "m/n") -> ContentLogging {
            policy.logging(of: Self.facts(metadata, model: model), .headerControlled, wishesLog: true).content
        }
        #expect(logging(["team": "legal", "region": "eu"]) == .withheld)
        #expect(logging([:], model: "o/p") == .whole)
        #expect(logging([:]) == .redacted(LogRedaction(presets: ["email", "us_ssn"])))
        let staff = [
            LogRedaction.Pattern("EMP-[0-9]+", replacement: "[redacted]"),
            LogRedaction.Pattern(#"K\d"#, replacement: "<k>"),
        ]
        #expect(
            logging(["region": "eu"]) == .redacted(LogRedaction(presets: ["email", "us_ssn", "iban"], patterns: staff)))
        func rules(_ metadata: [String: String]) -> [String] {
            policy.logging(of: Self.facts(metadata), .headerControlled, wishesLog: true).rules
        }
        #expect(rules(["team": "legal", "region": "eu"]) == ["deny"])
        #expect(rules(["region": "eu"]) == ["allow", "mail", "staff"])
        #expect(policy.rulesForOwnTraces.map(\.id) == ["deny", "mail", "staff"])
    }

    /// TrueFoundry's SDK has one rule a document, whose name is its id.
    @Test func `a document may be one rule`() throws {
        let text =
            Self.head + "name: legal\nwhen: {subjects: {in: [\"user:ada\"]}, metadata: {team: legal}}\nlog: false\n"
            + "---\n"
            + Self.head + "name: all\nlog: true\nredact_with: {presets: [email]}\n"
        let policy = try Self.policy(text)
        let legal = policy.logging(of: Self.facts(["team": "legal"]), .always, wishesLog: true).content
        #expect(legal == .withheld)
        let other = policy.logging(of: Self.facts(), .always, wishesLog: true).content
        #expect(other == .redacted(LogRedaction(presets: ["email"])))
    }

    @Test(
        arguments: [
            ("", "1:1", "needs `rules`"),
            ("rules:\n  - {id: a}\n", "3:5", "needs `log`"),
            ("rules:\n  - {log: true}\n", "3:5", "needs `id`"),
            ("log: true\n", "1:1", "needs `name`"),
            ("rules:\n  - {id: a, log: maybe}\n", "3:18", "true or false"),
            ("name: a\nlog: true\nrules: []\n", "3:1", "move it into a rule"),
            ("rules:\n  - {id: a, log: true}\n  - {id: a, log: true}\n", "4:5", "another rule's"),
            ("name: a\nlog: true\n---\n" + head + "name: a\nlog: false\n", "5:1", "another rule's"),
            ("rules:\n  - {id: a, log: false, redact_with: {presets: [email]}}\n", "3:38", "nothing to do"),
            ("rules:\n  - {id: a, log: true, redact_with: {}}\n", "3:37", "takes nothing out"),
            ("rules:\n  - {id: a, log: true, redact_with: {presets: [e-mail]}}\n", "3:48", "Did you mean `email`?"),
            ("rules:\n  - {id: a, log: true, redact_with: {presets: [religion]}}\n", "3:48", "not supported yet"),
            (
                "rules:\n  - {id: a, log: true, redact_with: {custom_patterns: [\"a*\"]}}\n", "3:56",
                "matches where there is nothing"
            ),
            (
                "rules:\n  - {id: a, log: true, redact_with: {custom_patterns: [\"(a\"]}}\n", "3:56",
                "not closed (at its character 1)"
            ),
            (
                "rules:\n  - {id: a, log: true, redact_with: {custom_patterns: [{patern: a}]}}\n", "3:57",
                "Did you mean `pattern`?"
            ),
            (
                "rules:\n  - {id: a, log: true, redact_with: {custom_patterns: [{pattern: a, redaction_text: '\"'}]}}",
                "3:85", "without quotes"
            ),
            ("rules:\n  - {id: a, log: true, when: {model: [m]}}\n", "3:31", "Did you mean `models`?"),
            ("rules:\n  - {id: a, log: true, redact: {}}\n", "3:24", "unknown key `redact`"),
        ])
    func `a mistake is told with its place`(text: String, place: String, part: String) {
        let error = #expect(throws: ConfigurationError.self) { try PolicyFixture.read(Self.head + text) }
        let said = error?.description ?? ""
        #expect(said.contains("gateway.yaml:\(place): error: ") && said.contains(part), "\(said)")
    }

    @Test func `patterns are bounded over all rules`() throws {
        func text(_ count: Int) -> String {
            let rules = (0..<count).map { "  - {id: r\($0), log: true, redact_with: {custom_patterns: [\"x\($0)\"]}}" }
            return Self.head + "rules:\n" + rules.joined(separator: "\n") + "\n"
        }
        #expect(throws: Never.self) { try PolicyFixture.read(text(ContentRedactor.patternLimit)) }
        let error = #expect(throws: ConfigurationError.self) {
            try PolicyFixture.read(text(ContentRedactor.patternLimit + 1))
        }
        #expect(error?.description.contains("they can be 64") == true)
    }

    @Test(
        arguments: [
            (#"{"enabled": true}"#, true), (#"{"enabled": false}"#, false), ("{}", true),
            (#" {"enabled":false} "#, false),
        ])
    func `the header is read`(value: String, wishesLog: Bool) throws {
        #expect(try LoggingSwitch.read(value) == wishesLog)
    }

    /// What is misspelt would not keep the request out of the traces.
    @Test(
        arguments: [
            ("off", "not a JSON object"), ("", "not a JSON object"), ("[]", "not a JSON object"),
            (#"{"enabled": "false"}"#, "is a string"), (#"{"enabled": null}"#, "is null"),
            (#"{"enable": false}"#, "`enable`, which is not known"),
            (#"{"enabled": true, "tracing_project_fqn": "a:b"}"#, "the project that the path names"),
            (#"{"enabled": false, "enabled": true}"#, "not a JSON object"),
            (#"{"enabled": false}, {"enabled": true}"#, "not a JSON object"),
        ])
    func `a header that cannot be kept is refused`(value: String, part: String) throws {
        let error = try #require(throws: GatewayError.self) { _ = try LoggingSwitch.read(value) }
        #expect(error.status == 400 && error.code == "invalid_metadata" && error.param == "x-tfy-logging-config")
        #expect(error.message.contains(part), "\(error.message)")
    }
}

/// What redaction takes out of a text.
@Suite struct ContentRedactorTests {
    @Test func `findings of several presets and patterns are joined`() throws {
        let redaction = LogRedaction(
            presets: ["email", "url"],
            patterns: [
                .init("ada@", replacement: "A"), .init("x+", replacement: "[x]"), .init("ple", replacement: "P"),
            ])
        let redactor = try #require(ContentRedactor(redaction))
        let text = Array("ada@mail.example xx https://example.org".utf8)
        var work = Int.max
        let findings = text.withUnsafeBufferPointer { redactor.findings(in: $0, within: &work) }
        #expect(
            findings.map { String(decoding: text[$0.range], as: UTF8.self) } == [
                "ada@mail.example", "xx", "https://example.org",
            ])
        #expect(
            findings.map { String(decoding: $0.replacement, as: UTF8.self) } == ["[redacted]", "[x]", "[redacted]"])
    }

    /// What a later version has written is not shown because this one does not know it.
    @Test(arguments: [
        LogRedaction(presets: ["email", "religion"]), LogRedaction(patterns: [.init("(?=a)", replacement: "")]),
    ])
    func `what is not known makes no redactor`(redaction: LogRedaction) {
        #expect(ContentRedactor(redaction) == nil)
    }
}
