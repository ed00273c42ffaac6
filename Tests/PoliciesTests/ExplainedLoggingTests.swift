import Common
import JSON
import TestSupport
import Testing

@testable import Policies

/// What is said of a request's place in traces.
@Suite struct ExplainedLoggingTests {
    /// For random rules, modes and switches: what is said of each rule, with what is said to decide, makes up what the
    /// policy decides.
    @Test(arguments: 0..<300) func `the parts explain the whole`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let rules = (0..<6).map { Self.rule($0, &random) }
        var policies = Policies()
        policies.logging = LoggingPolicy(rules)
        for _ in 0..<20 {
            let facts = ExplanationTests.facts(&random)
            let terms = LoggingTerms(
                mode: random.pick(RequestLoggingMode.allCases),
                denial: random.pick([nil, nil, .header, .metadata] as [LoggingSwitch.Carrier?]))
            let view = random.pick([Explanation.View.full, .own])
            let logging = Explanation(policies, facts, body: [], hasBaseURL: false, terms: terms, view: view).logging
            let decided = policies.logging.logging(of: facts, terms.mode, wishesLog: terms.denial == nil).content
            #expect(logging.content == decided)
            let matching = logging.rules.filter(\.matches)
            #expect(
                matching.map(\.id) == rules.filter { $0.when.holds(for: facts) }.map(\.id), "seed \(seed), \(view)")
            let isLogged: Bool
            switch logging.decider {
            case .rule(let id):
                #expect(id == matching.first { !$0.isLogged }?.id)
                isLogged = false
            case .setting(let mode):
                #expect(mode == terms.mode && (mode != .headerControlled || terms.denial == nil))
                #expect(!matching.contains { !$0.isLogged })
                isLogged = mode != .never
            case .switchedOff(let carrier):
                #expect(carrier == terms.denial && terms.mode == .headerControlled)
                #expect(!matching.contains { !$0.isLogged })
                isLogged = false
            }
            #expect(isLogged == (decided != .withheld), "seed \(seed)")
            let presets = Set(texts: matching.flatMap { $0.redaction?.presets ?? [] })
            #expect(Set(texts: logging.redaction?.presets ?? []) == (isLogged ? presets : []))
            let replacements = matching.flatMap { $0.redaction?.patterns.map(\.replacement) ?? [] }
            #expect(logging.redaction?.patterns.map(\.replacement) ?? [] == (isLogged ? replacements : []))
            #expect(logging.rules.allSatisfy { $0.matches || $0.redaction == nil })
        }
    }

    private static func rule(_ place: Int, _ random: inout SeededRandom) -> LoggingRule {
        let isLogged = random.chance(percent: 80)
        var redaction = LogRedaction()
        if isLogged, random.chance(percent: 60) {
            redaction = LogRedaction(
                presets: random.pick([[], ["email"], ["iban", "email"]]),
                patterns: random.chance(percent: 50) ? [.init("canary-\(place)", replacement: "<\(place)>")] : [])
        }
        return LoggingRule(
            id: "log-\(place)", when: ExplanationTests.condition(&random), isLogged: isLogged, redaction: redaction,
            location: .file("test"))
    }

    private static let rules = """
        type: gateway-logging-config
        rules:
          - id: mail
            when: {metadata: {team: sales}}
            log: true
            redact_with: {presets: [email], custom_patterns: [{pattern: "canary-[0-9]+", redaction_text: "<id>"}]}
          - {id: ada, when: {subjects: ["user:ada"]}, log: true, redact_with: {custom_patterns: ["canary-ada"]}}
          - {id: legal, when: {metadata: {team: canary-team}}, log: false}
        """

    private static func json(_ view: Explanation.View, _ terms: LoggingTerms = LoggingTerms()) throws -> String {
        let facts = RequestFacts(
            caller: Caller(account: "x", user: "bob"), model: "p/m",
            metadata: PolicyFixture.metadata(["team": "sales"]))
        let explanation = Explanation(
            try PolicyFixture.read(rules), facts, body: [], hasBaseURL: false, terms: terms, view: view)
        let object = try JSONObject.scan(explanation.json, maximumDepth: 8)
        let member = try #require(object.member("logging"))
        return String(decoding: object.bytes[member.value], as: UTF8.self)
    }

    @Test func `the operator sees the expressions`() throws {
        let redaction =
            #"{"presets":["email"],"custom_patterns":[{"pattern":"canary-[0-9]+","redaction_text":"<id>"}]}"#
        let subjects = #"{"part":"subjects","wants":"one of `user:ada`","found":"account:x, user:bob"}"#
        let team = #"{"part":"metadata.team","wants":"`canary-team`","found":"sales","origin":"header"}"#
        #expect(
            try Self.json(.full)
                == #"{"content":"redacted","decided_by":{"setting":"REQUEST_LOGGING_MODE","#
                + #""value":"HEADER_CONTROLLED"},"redact_with":\#(redaction),"rules":["#
                + #"{"id":"mail","matches":true,"log":true,"redact_with":\#(redaction)},"#
                + #"{"id":"ada","matches":false,"unmet":[\#(subjects)],"log":true},"#
                + #"{"id":"legal","matches":false,"unmet":[\#(team)],"log":false}]}"#)
    }

    /// Nor does it see what a rule asks for, and no rule that is for others alone.
    @Test func `a client sees no expression`() throws {
        let text = try Self.json(.own)
        #expect(!text.contains("canary") && !text.contains(#""ada""#) && !text.contains("user:ada"), "\(text)")
        #expect(text.contains(#""redact_with":{"presets":["email"],"custom_patterns":[{"redaction_text":"<id>"}]}"#))
        #expect(text.contains(#"{"id":"legal","matches":false,"unmet":[{"part":"metadata.team","found":"sales""#))
    }

    @Test func `what says no is named`() throws {
        func decider(_ terms: LoggingTerms) throws -> Substring? {
            try Self.json(.own, terms).split(separator: #","rules""#).first
        }
        let withheld = #"{"content":"withheld","decided_by":"#
        #expect(
            try decider(LoggingTerms(denial: .header)) == #"\#(withheld){"switch":"x-tfy-logging-config"}"#)
        #expect(try decider(LoggingTerms(denial: .metadata)) == #"\#(withheld){"switch":"tfy_log_request"}"#)
        #expect(
            try decider(LoggingTerms(mode: .never, denial: .header))
                == #"\#(withheld){"setting":"REQUEST_LOGGING_MODE","value":"NEVER"}"#)
        #expect(try decider(LoggingTerms(mode: .always, denial: .header))?.contains(#""redacted""#) == true)
    }

    /// A rule on metadata refuses before it, and a limit after it.
    @Test func `a request that the proxy would trace is refused`() throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-metadata-config
            keys: {team: {values: [red]}}
            ---
            type: gateway-rate-limiting-config
            rules: [{id: small, limit_to: 1, unit: tokens_per_day}]
            """)
        func decision(_ team: String, _ denial: LoggingSwitch.Carrier?) -> Explanation.Decision {
            let facts = RequestFacts(model: "p/m", metadata: PolicyFixture.metadata(["team": team]))
            let body = #"{"messages":[{"content":"\#(String(repeating: "x", count: 100))"}]}"#
            return Explanation(
                policies, facts, body: Array(body.utf8), hasBaseURL: false,
                terms: LoggingTerms(denial: denial, isTracedByProxy: true), view: .own
            ).decision
        }
        #expect(decision("blue", .header) == .refused(status: 400, code: "metadata_refused", rule: "values"))
        #expect(decision("red", .header) == .refused(status: 400, code: "always_logged", rule: nil))
        #expect(decision("red", nil) == .refused(status: 400, code: "never_admissible", rule: "small"))
    }
}
