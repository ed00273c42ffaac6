import FoundationEssentials
import InMemoryLogging
import Logging
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common

/// Secrets that change while a process runs.
@Suite struct SecretsFileTests {
    /// A file of secrets, the process that has read it, and what its log says.
    private struct World {
        let path: String
        let file: SecretsFile
        let log = InMemoryLogHandler()
        let taken = NIOLockedValueBox<[Secrets]>([])

        init(_ folder: String, _ text: String) throws {
            path = folder + "/secrets.yaml"
            try Data(text.utf8).write(to: URL(filePath: path))
            let environment = [
                "SECRETS_PATH": path, "REDIS_HOST": "redis",
                "GATEWAY_KEY": Data(GatewayKey.random().reveal()).base64EncodedString(),
                "SECOND": "sk-2",
            ]
            file = SecretsFile(
                try Configuration.load(role: .forwarder, environment: environment), environment: environment)
            file.onChange { [taken] secrets in { taken.withLockedValue { $0.append(secrets) } } }
        }

        var logger: Logger { Logger(label: "test") { _ in log } }
        var errors: [String] { log.entries.filter { $0.level >= .error }.map { "\($0.message)" } }

        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) }

        /// Looks as often as it takes to see that a file rests.
        func look() { for _ in 0..<2 { file.refresh(logger: logger) } }
    }

    private static func keys(_ secret: String) -> String { "{public_key: pk, secret_key: \(secret)}" }
    private static let first = "langfuse_keys: {a: \(keys("sk-1"))}\nprovider_keys: {openai: sk-p}\n"

    private func run(_ text: String = first, _ body: (World) throws -> Void) throws {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        try body(try World(folder, text))
    }

    @Test(arguments: [
        "langfuse_keys: {a: \(keys("sk-2"))}", "langfuse_keys: {a: {public_key: pk, secret_key: {env: SECOND}}}",
        "langfuse_keys: {a: \(keys("sk-1")), b: }\ndefault_project_id: a",
        "langfuse_keys: {a: \(keys("sk-1"))}\nprovider_keys: {openai: {env: SECOND}}",
        "langfuse_keys: {a: }",
        "langfuse_keys: {a: \(keys("sk-1"))}\naccounts: {mine: {base_url: \"http://127.0.0.1:1\"}}",
    ])
    func `a change is taken over`(text: String) throws {
        try run { world in
            let before = world.file.current
            try world.write(text)
            world.look()
            #expect(world.errors.isEmpty)
            let taken = world.taken.withLockedValue { $0 }
            #expect(taken.count == 1 && taken[0] == world.file.current && taken[0] != before)
        }
    }

    @Test(arguments: [
        ("no YAML", "langfuse_keys: [\n"), ("an unknown member", "langfuse_kyes: {}\n"),
        ("half a pair", "langfuse_keys: {a: {public_key: pk}}"),
        ("a variable that is not set", "langfuse_keys: {a: {public_key: pk, secret_key: {env: THIRD}}}"),
        ("a key with a space", "langfuse_keys: {a: {public_key: pk, secret_key: \"s k\"}}"),
        ("another default project", "langfuse_keys: {b: \(keys("sk-1"))}"), ("nothing at all", ""),
        ("a good part before a bad one", first + "accounts: {x: {}}"),
    ])
    func `a file that cannot be used changes nothing`(name: String, text: String) throws {
        try run { world in
            let before = world.file.current
            try world.write(text)
            world.look()
            world.look()
            #expect(world.file.current == before && world.taken.withLockedValue { $0.isEmpty })
            #expect(Set(world.errors).count == world.errors.count && !world.errors.isEmpty, "it is said once")
            #expect(world.errors.allSatisfy { $0.hasPrefix("the secrets stay as they were: ") && !$0.contains("sk-1") })
            try world.write(Self.first + "accounts: {mine: {base_url: \"http://127.0.0.1:1\"}}")
            world.look()
            #expect(world.taken.withLockedValue { $0.count } == 1, "and a good one is taken after it")
        }
    }

    @Test func `one user that cannot take them stops all`() throws {
        try run { world in
            let before = world.file.current
            world.file.onChange { _ throws(ConfigurationError) in throw ConfigurationError(at: .file("x"), "no") }
            try world.write("langfuse_keys: {a: \(Self.keys("sk-2"))}")
            world.look()
            #expect(world.file.current == before && world.taken.withLockedValue { $0.isEmpty })
            #expect(world.errors == ["the secrets stay as they were: x: error: no"] || world.errors.count == 1)
        }
    }

    @Test func `a file that is being written is not read halfway`() throws {
        try run { world in
            try world.write("langfuse_keys: {a: \(Self.keys("sk-2"))}")
            world.file.refresh(logger: world.logger)
            #expect(world.taken.withLockedValue { $0.isEmpty }, "it may still be written")
            try world.write("langfuse_keys: {a: \(Self.keys("sk-3"))}")
            world.look()
            #expect(
                world.taken.withLockedValue { $0.map { $0.projects["a"]?.langfuse?.secretKey.reveal() } } == ["sk-3"])
        }
    }

    @Test func `a file that goes away takes nothing away`() throws {
        try run { world in
            let before = world.file.current
            try FileManager.default.removeItem(atPath: world.path)
            world.look()
            world.look()
            #expect(world.file.current == before && world.errors.count == 1)
            try world.write(Self.first)
            world.look()
            #expect(
                world.file.current == before && world.taken.withLockedValue { $0.isEmpty },
                "the same secrets are no change")
        }
    }
}
