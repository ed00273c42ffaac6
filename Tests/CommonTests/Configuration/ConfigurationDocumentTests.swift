import Common
import FoundationEssentials
import Testing

/// The project's documents say what the code does.
struct ConfigurationDocumentTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test func `the document shows the table`() throws {
        #expect(
            try Self.text("docs/configuration.md").contains("\n\n\(Settings.markdownTable())\n\n"),
            "\n\(Settings.markdownTable())\n")
    }

    @Test func `the example is right`() throws {
        let secrets = try SecretsTests.read(Self.text("secrets.yaml.example"))
        #expect(secrets.defaultProject == "my-project")
        #expect(secrets.projects["my-project"]?.langfuse != nil)
    }

    /// What is commented out is meant to be uncommented.
    @Test func `the example is right with all of it`() throws {
        let text = try Self.text("secrets.yaml.example").split(separator: "\n").map { line in
            line.hasPrefix("# ") && (line.hasSuffix(":") || line.hasPrefix("#  ")) ? line.dropFirst(2) : line
        }
        let secrets = try SecretsTests.read(
            text.joined(separator: "\n"), environment: ["FIREWORKS_API_KEY": "fw", "OPENAI_MAIN_KEY": "sk"])
        #expect(secrets.providerKeys.keys.sorted() == ["fireworks_ai", "openai"])
        #expect(secrets.accounts.keys.sorted() == ["my-vllm", "openai-main"])
    }

    @Test func `the secrets in the document are right`() throws {
        let blocks = try Self.text("docs/configuration.md").split(separator: "```").filter {
            $0.hasPrefix("yaml\n# secrets.yaml\n")
        }
        #expect(blocks.count == 1)
        for block in blocks {
            let environment = [
                "FIREWORKS_API_KEY": "fw", "OPENAI_MAIN_KEY": "sk", "MY_PROJECT_LANGFUSE_SECRET_KEY": "sk-lf",
            ]
            #expect(throws: Never.self) {
                try SecretsTests.read(String(block.dropFirst("yaml\n".count)), environment: environment)
            }
        }
    }
}
