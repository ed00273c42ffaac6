import Common
import FoundationEssentials
import JSON
import TestSupport
import Testing

@testable import Policies

/// docs/policies.md and gateway.yaml.example say what the code does.
@Suite struct PolicyDocumentTests {
    private static func text(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test func `the example file is right`() throws {
        let policies = try PolicyFixture.read(Self.text("gateway.yaml.example"), asksForKeys: false)
        let policy = policies.metadata
        #expect(policies.rateLimits.count == 1 && !policies.routing.isEmpty && !policies.logging.isEmpty)
        #expect(policy.keys.map(\.name) == ["team", "customer_id"] && policy.overrides.map(\.id) == ["zone"])
    }

    /// What the document says of its other examples.
    @Test func `the other examples in the document decide as it says`() throws {
        let document = try Self.text("docs/policies.md")
        func policies(_ file: String) throws -> Policies {
            let block = document.split(separator: "```").first { $0.hasPrefix("yaml\n# \(file)\n") }
            return try PolicyFixture.read(String(try #require(block).dropFirst("yaml\n".count)))
        }
        func facts(_ model: String, _ metadata: [String: String]) -> RequestFacts {
            RequestFacts(model: model, metadata: PolicyFixture.metadata(metadata))
        }
        let limits = try policies("limits.yaml")
        let development = limits.rateLimits(for: facts("openai-main/gpt4", ["env": "dev", "customer_id": "c-1"]))
        #expect(development.map(\.rule.id) == ["openai-gpt4-dev-env"])
        let production = facts("openai-main/gpt4", ["env": "prod", "customer_id": "c-1"])
        #expect(limits.rateLimits(for: production).map { $0.name(for: production) } == ["c-1-tokens"])
        let customer = facts("bedrock/llama3", ["customer-id": "customer1"])
        var random = SeededRandom(seed: 1)
        let balanced = try policies("balancing.yaml").routing.route(for: customer, using: &random)
        #expect(balanced.steps.map(\.model).sorted() == ["aws/bedrock-llama3", "azure/bedrock-llama3"])
        let fallback = try policies("fallback.yaml").routing.route(for: customer, using: &random)
        #expect(fallback.steps.map(\.model) == ["bedrock/llama3", "azure/llama3", "aws/llama3"])
        let patient = try policies("retries.yaml").routing.route(for: facts("azure/gpt-4o", [:]), using: &random)
        #expect(patient.steps.map(\.model) == ["azure/gpt-4o", "openai/gpt-4o"])
        #expect(
            patient.steps[0].retry
                == .init(attempts: 2, delay: 100, failures: [.status(429), .status(503), .connectError]))
        #expect(patient.steps[0].failures.contains(.streamError))
        let logging = try policies("logging.yaml").logging
        let legal = logging.logging(of: facts("m/n", ["team": "legal"]), .always, wishesLog: true).content
        #expect(legal == .withheld)
        guard case .redacted(let redaction) = logging.logging(of: customer, .always, wishesLog: true).content else {
            Issue.record("it is redacted")
            return
        }
        let redactor = try #require(ContentRedactor(redaction))
        let text = Array("EMP-12345 of ada@example.org, (415) 555-2671, paid with 4111 1111 1111 1111".utf8)
        var work = Int.max
        let findings = text.withUnsafeBufferPointer { redactor.findings(in: $0, within: &work) }
        #expect(
            findings.map { String(decoding: $0.replacement, as: UTF8.self) } == [
                "[employee]", "[redacted]", "[redacted]", "[redacted]",
            ])
    }

    /// The request that the document describes, by the rules that it shows.
    @Test func `the description in the document is explained`() throws {
        let document = try Self.text("docs/policies.md")
        func block(_ head: String) throws -> String {
            String(try #require(document.split(separator: "```").first { $0.hasPrefix(head) }))
        }
        let policies = try PolicyFixture.read(String(try block("yaml\n# limits.yaml").dropFirst("yaml\n".count)))
        let text = try block("json\n{\"model\"").dropFirst("json\n".count)
        let request = try RequestDescription(Array(text.utf8), headers: [], namesSender: false, maximumDepth: 8)
        let facts = RequestFacts(model: request.model, metadata: request.carried)
        let explanation = Explanation(policies, facts, body: request.body, hasBaseURL: false, view: .full)
        #expect(explanation.limits.map(\.matches) == [true, false])
        let json = try JSONObject.scan(explanation.json, maximumDepth: 8)
        for member in json.members.compactMap(json.name) where !["object", "request"].contains(member) {
            #expect(document.contains("`\(member)`"), "\(member)")
        }
    }

    /// The table beside the example says what becomes of requests.
    @Test func `the example in the document does what the table says`() throws {
        let document = try Self.text("docs/policies.md")
        let blocks = document.split(separator: "```").filter { $0.hasPrefix("yaml\n# gateway.yaml\n") }
        let policy = try PolicyFixture.read(String(try #require(blocks.first).dropFirst("yaml\n".count))).metadata
        let rows = document.split(separator: "\n").filter { $0.hasPrefix("| `{") }
        #expect(blocks.count == 1 && rows.count == 6)
        for row in rows {
            let cells = row.split(separator: "|").map { String($0) }
            var carried = CarriedMetadata()
            try carried.add(String(cells[0].filter { $0 != "`" }))
            var metadata = carried.metadata
            policy.override(&metadata, for: Caller())
            #expect(metadata["zone"]?.value == "eu")
            let violation = policy.violation(of: metadata)
            if cells[1].hasPrefix(" passes") {
                #expect(violation == nil, "\(row)")
            } else {
                let key = try #require(violation?.key)
                let words = [
                    "required": "required", "values": "values", "regex": "regex", "allow_unknown_keys": "unknown",
                ]
                #expect(
                    cells[1].contains("`\(key)`") && cells[1].contains(words[violation?.rule.name ?? ""] ?? "?"),
                    "\(row)")
            }
        }
    }

    @Test func `the rules that the document gives are the code's`() throws {
        let document = try Self.text("docs/policies.md")
        #expect(document.contains("| Keys of a request | \(MetadataLimits.entryLimit), each once |"))
        #expect(
            document.contains("1 to \(MetadataLimits.keyLimit) characters")
                && document.contains("at most \(MetadataLimits.valueLimit) characters"))
        for id in MetadataLimits.pathIDs { #expect(document.contains("`\(id)`")) }
        for (word, _) in Route.Failure.words { #expect(document.contains("| `\(word)` |")) }
        for header in MetadataHeader.allCases { #expect(document.contains("| `\(header.rawValue)` |")) }
        for preset in RedactionPreset.allCases { #expect(document.contains("`\(preset.rawValue)`")) }
        #expect(document.contains("at most \(SearchPattern.lengthLimit)\ncharacters"))
        #expect(document.contains("at most \(ContentRedactor.patternLimit) patterns"))
        #expect(document.contains("`redaction_text` (\(ContentRedactor.replacementLimit) characters"))
    }
}
