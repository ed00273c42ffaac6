import Common
import TestSupport
import Testing

@testable import Policies

/// What the operator's rules say of a request's metadata.
@Suite struct MetadataPolicyTests {
    private static let rules = """
        type: gateway-metadata-config
        rules:
          - {id: ada, when: {subjects: ["user:ada"]}, gateway_metadata: {zone: us, desk: a}}
          - {id: ads, when: {subjects: ["team:ads", "account:x"]}, gateway_metadata: {zone: eu, desk: b}}
          - {id: all, gateway_metadata: {zone: any}}
        """

    @Test(
        arguments: [
            (Caller(), ["zone:any"]),
            (Caller(account: "x"), ["zone:eu", "desk:b"]),
            (Caller(account: "ads", user: "ads", teams: ["x"]), ["zone:any"]),
            (Caller(account: "y", user: "bob", teams: ["search", "ads"]), ["zone:eu", "desk:b"]),
            (Caller(account: "x", user: "ada", teams: ["ads"]), ["zone:us", "desk:a"]),
        ] as [(Caller, [String])])
    func `the first rule for a caller sets a key`(caller: Caller, tags: [String]) throws {
        let policy = try PolicyFixture.read(Self.rules).metadata
        var metadata = PolicyFixture.metadata(["zone": "claimed", "own": "1"])
        policy.override(&metadata, for: caller)
        #expect(metadata.entries.filter { $0.origin == .gateway }.map(\.tag).sorted() == tags.sorted())
        #expect(metadata["own"]?.origin == .header)
    }

    @Test func `unknown keys are the client's alone`() throws {
        let policy = try PolicyFixture.read("type: gateway-metadata-config\nallow_unknown_keys: false\nkeys: {a: }\n")
            .metadata
        #expect(policy.violation(of: PolicyFixture.metadata(["a": "1"])) == nil)
        #expect(
            policy.violation(of: PolicyFixture.metadata(["b": "1"])) == .init(key: "b", rule: .unknown(known: ["a"])))
        for origin in [ResolvedMetadata.Origin.gateway, .key, .path] {
            #expect(policy.violation(of: PolicyFixture.metadata(["b": "1"], from: origin)) == nil)
        }
    }

    /// Bytes decide.
    @Test func `a value that looks alike is another one`() throws {
        let policy = try PolicyFixture.read("type: gateway-metadata-config\nkeys: {a: {values: [\"\u{e9}\"]}}\n")
            .metadata
        #expect(policy.violation(of: PolicyFixture.metadata(["a": "\u{e9}"])) == nil)
        #expect(policy.violation(of: PolicyFixture.metadata(["a": "e\u{301}"])) != nil)
    }

    @Test func `an empty value is there`() throws {
        let policy = try PolicyFixture.read("type: gateway-metadata-config\nkeys: {a: {required: true}}\n").metadata
        #expect(policy.violation(of: PolicyFixture.metadata(["a": ""])) == nil)
        #expect(policy.violation(of: ResolvedMetadata()) == .init(key: "a", rule: .required))
    }

    /// Each error names the key and the rule, and none shows the value.
    @Test(
        arguments: [
            (.required, ["`k`", "X-TFY-METADATA"]), (.notListed(["a", "b"]), ["`k`", "`a`, `b`"]),
            (.notListed((0..<12).map { "v\($0)" }), ["and 2 more"]),
            (.noMatch("c-[0-9]+"), ["`k`", "`c-[0-9]+`"]), (.unknown(known: []), ["`k`", "not known", "none"]),
        ] as [(MetadataViolation.Rule, [String])])
    func `a violation says what repairs it`(rule: MetadataViolation.Rule, parts: [String]) {
        let error = MetadataViolation(key: "k", rule: rule).error
        #expect(
            error.status == 400 && error.code == "metadata_refused" && error.param == "metadata.k"
                && error.shouldRetry == false)
        for part in parts { #expect(error.message.contains(part), "\(error.message)") }
    }
}
