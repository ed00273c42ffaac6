import Common
import FoundationEssentials
import JSON
import TestSupport
import Testing

@testable import Policies

/// docs/gateway.schema.json knows the keys and words that the reader knows: each place is read with a wrong one, and
/// the error lists the right ones. (Clients/test_schema.py lets the schema and the reader judge whole documents.)
@Suite struct PolicySchemaTests {
    private static let wrong = "zzzzzzzz"
    private static let limits = "type: gateway-rate-limiting-config\n"
    private static let limit = limits + "rules: [{id: a, limit_to: 1, unit: requests_per_day, "
    private static let balancing = "type: gateway-load-balancing-config\nrules: [{id: a, load_balance_targets: "
    private static let fallback = "type: gateway-fallback-config\nrules: [{id: a, "
    private static let logging = "type: gateway-logging-config\nrules: [{id: a, "
    private static let metadata = "type: gateway-metadata-config\n"

    /// Each mapping of the schema that names its keys, with a document in which it has a wrong one.
    static let mappings: [(schema: String, document: String)] = [
        ("metadataConfig", metadata + "\(wrong): 1"),
        ("keyRule", metadata + "keys: {a: {\(wrong): 1}}"),
        ("metadataRule", metadata + "rules: [{id: a, gateway_metadata: {a: b}, \(wrong): 1}]"),
        ("metadataRuleWhen", metadata + "rules: [{id: a, gateway_metadata: {a: b}, when: {\(wrong): 1}}]"),
        ("rateLimitingConfig", limits + "rules: []\n\(wrong): 1"),
        ("rateLimitRule", limit + "\(wrong): 1}]"),
        ("when", limit + "when: {\(wrong): 1}}]"),
        ("subjectChoice", limit + "when: {subjects: {\(wrong): 1}}}]"),
        ("modelChoice", limit + "when: {models: {\(wrong): 1}}}]"),
        ("tests", limit + "when: {metadata: {a: {\(wrong): 1}}}}]"),
        ("loadBalancingConfig", "type: gateway-load-balancing-config\nrules: []\n\(wrong): 1"),
        ("loadBalancingRule", balancing + "[{target: p/m}], \(wrong): 1}]"),
        ("balancedTarget", balancing + "[{target: p/m, \(wrong): 1}]}]"),
        ("retryConfig", balancing + "[{target: p/m, retry_config: {attempts: 1, \(wrong): 1}}]}]"),
        ("headersOverride", balancing + "[{target: p/m, headers_override: {\(wrong): 1}}]}]"),
        ("loggingConfig", "type: gateway-logging-config\nrules: []\n\(wrong): 1"),
        ("loggingRule", logging + "log: true, \(wrong): 1}]"),
        ("redaction", logging + "log: true, redact_with: {\(wrong): 1}}]"),
        (
            "redactionPattern",
            logging + "log: true, redact_with: {custom_patterns: [{pattern: a, \(wrong): 1}]}}]"
        ),
        ("fallbackConfig", "type: gateway-fallback-config\nrules: []\n\(wrong): 1"),
        ("fallbackRule", fallback + "fallback_models: [p/m], when: {response_status_codes: [500]}, \(wrong): 1}]"),
        ("fallbackWhen", fallback + "fallback_models: [p/m], when: {response_status_codes: [500], \(wrong): 1}}]"),
        (
            "fallbackTarget",
            fallback + "fallback_models: [{target: p/m, \(wrong): 1}], when: {response_status_codes: [500]}}]"
        ),
    ]

    /// Each list of words of the schema, with a document in which another one stands, and what the error says before
    /// it lists the right ones.
    static let choices: [(schema: [String], document: String, part: String)] = [
        (["properties", "type"], "type: \(wrong)", "Supported: "),
        (["$defs", "metadataConfig", "properties", "mode"], metadata + "mode: \(wrong)", "must be "),
        (
            ["$defs", "rateLimitingConfig", "properties", "evaluate"], limits + "rules: []\nevaluate: \(wrong)",
            "It can be "
        ),
        (
            ["$defs", "rateLimitRule", "properties", "unit"], limits + "rules: [{id: a, limit_to: 1, unit: \(wrong)}]",
            "It can be "
        ),
        (["$defs", "rateLimitRule", "properties", "mode"], limit + "mode: \(wrong)}]", "It can be "),
        (["$defs", "metadataFrom"], limit + "when: {metadata: {a: b}, metadata_from: \(wrong)}}]", "It can be "),
        (
            ["$defs", "loadBalancingRule", "properties", "type"], balancing + "[{target: p/m}], type: \(wrong)}]",
            "It can be "
        ),
        (
            ["$defs", "redactionPreset"], logging + "log: true, redact_with: {presets: [\(wrong)]}}]", "It can be "
        ),
        (
            ["$defs", "failure", "words"],
            fallback + "fallback_models: [p/m], when: {response_status_codes: [\(wrong)]}}]",
            "must be "
        ),
    ]

    private static func schema() throws -> JSONObject {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try Data(contentsOf: root.appending(path: "docs/gateway.schema.json"))
        return try JSONObject.scan(Array(text), maximumDepth: 32)
    }

    private static func object(_ parent: JSONObject, _ name: String) throws -> JSONObject {
        let member = try #require(parent.member(name), "\(name)")
        let object = try parent.object(member)
        return try #require(object, "\(name)")
    }

    /// What the reader says of a document: the words in backticks behind a part of its message.
    private static func words(_ document: String, behind part: String) throws -> Set<UTF8Text> {
        let error = try #require(throws: ConfigurationError.self) { try PolicyFixture.read(document) }
        let said = try #require(
            error.problems.map(\.message).first { $0.firstRange(of: part) != nil }, "\(error.description)")
        let tail = try #require(said.firstRange(of: part))
        let pieces = said[tail.upperBound...].split(separator: "`", omittingEmptySubsequences: false)
        return Set(texts: pieces.indices.filter { $0 % 2 == 1 }.map { String(pieces[$0]) })
    }

    @Test(arguments: mappings.indices) func `a mapping has the reader's keys`(place: Int) throws {
        let (name, document) = Self.mappings[place]
        let mapping = try Self.object(try Self.object(try Self.schema(), "$defs"), name)
        let properties = try Self.object(mapping, "properties")
        let known = try Self.words(document, behind: "Known here: ")
        #expect(Set(texts: properties.members.compactMap(properties.name)) == known, "\(name)")
    }

    /// None is left out of the table above.
    @Test func `each mapping of the schema is compared`() throws {
        let definitions = try Self.object(try Self.schema(), "$defs")
        let closed = try definitions.members.filter { member in
            try definitions.object(member)?.member("properties") != nil
        }
        #expect(
            Set(texts: closed.compactMap(definitions.name)) == Set(texts: Self.mappings.map(\.schema)))
        for member in closed {
            let open = try definitions.object(member)?.member("additionalProperties")?.kind
            #expect(open == .false, "\(definitions.name(of: member) ?? "") takes any key")
        }
    }

    @Test(arguments: choices.indices) func `a choice has the reader's words`(place: Int) throws {
        let (path, document, part) = Self.choices[place]
        var schema = try Self.schema()
        for name in path.dropLast() { schema = try Self.object(schema, name) }
        // The failures without a status are the last of several forms.
        var words = schema
        if path.last == "words" {
            let form = try #require(schema.member("anyOf").flatMap(schema.elements)?.last)
            words = try JSONObject.scan(schema.bytes, range: form.value, maximumDepth: 8)
        } else {
            words = try Self.object(schema, path.last ?? "")
        }
        let known = try #require(words.member("enum").flatMap(words.strings))
        #expect(try Self.words(document, behind: part) == Set(texts: known), "\(path)")
    }
}
