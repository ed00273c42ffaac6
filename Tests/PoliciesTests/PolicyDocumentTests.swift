import Common
import FoundationEssentials
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
        let policy = try PolicyFixture.read(Self.text("gateway.yaml.example"), asksForKeys: false).metadata
        #expect(policy.keys.map(\.name) == ["team", "customer_id"] && policy.overrides.map(\.id) == ["zone"])
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
        #expect(document.contains("| Keys of a request | \(MetadataRule.entryLimit), each once |"))
        #expect(
            document.contains("1 to \(MetadataRule.keyLimit) characters")
                && document.contains("at most \(MetadataRule.valueLimit) characters"))
        for id in MetadataRule.pathIDs { #expect(document.contains("`\(id)`")) }
        for header in MetadataHeader.allCases { #expect(document.contains("| `\(header.rawValue)` |")) }
    }
}
